"""Bring the paths of all transports to one form, and take away the base path below which an endpoint is mounted."""

DECODINGS = 3  # platforms decode a path once, twice or not at all before a function sees it


def normalized(path: str) -> str:
    """Undo percent-encoding, join repeated slashes, and drop a slash at the end.

    Encoding is undone until nothing is left of it, at most three times, so that the platforms' own decoding makes no difference.
    Letter case is kept: names of models may differ in it alone.
    """
    if "%" in path:
        from urllib.parse import unquote  # imported late: few paths need it

        for _ in range(DECODINGS):
            path, before = unquote(path), path
            if path == before:
                break
    parts = [part for part in path.split("/") if part]
    return "/" + "/".join(parts)


def without_base(path: str, base: str) -> str:
    """Remove a base path from the beginning of a path; a path that does not begin with it stays as it is.

    :param path: a normalized path.
    :param base: as an operator writes it, `/ml`, `ml` or `/ml/`; "" for none.
    """
    base = normalized(base)
    if base == "/" or not (path + "/").startswith(base + "/"):
        return path
    return path[len(base) :] or "/"


def base_before(path: str, end: "str | None") -> str:
    """Find the base path that stands before the path that a gateway's route matched; "" if none exists.

    :param path: the whole path, as the caller wrote it.
    :param end: the path that the gateway's route matched; None if that is not known.
    """
    if end is None:
        return ""
    whole, end = normalized(path), normalized(end).rstrip("/")
    return whole.rstrip("/").removesuffix(end) if whole.endswith(end) else ""


def filled(route: str, parameters: "dict[str, str]") -> "str | None":
    """Fill in the parameters of a gateway's route, as `/models/{name}/{proxy+}`.

    :returns: the path; None if a parameter is missing.
    """
    parts = []
    for part in route.split("/"):
        if part.startswith("{") and part.endswith("}"):
            value = parameters.get(part[1:-1].removesuffix("+"))
            if not isinstance(value, str):
                return None
            part = value
        parts.append(part)
    return "/".join(parts)
