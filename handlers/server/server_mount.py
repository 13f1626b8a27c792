"""Tell a request below which path another application has mounted the one that answers it."""


def path_below(path: str, base: str, headers: "dict[str, str]") -> str:
    """Make the path that the service reads.

    Only the OpenAPI document names the place where it is: for others the path below the mount is all there is to know.

    :param path: below the mount, "" for the mount itself; the server has decoded it, so that a question mark is a part of it.
    :param base: the path of the mount, as "/penguins"; "" for none.
    :param headers: of the request; for the OpenAPI document X-Forwarded-Prefix becomes the whole base path, in place.
    """
    path = path.replace("?", "%3F")
    if not base or not path.endswith("/openapi.json"):
        return path or "/"
    proxy = headers.get("x-forwarded-prefix", "").partition(",")[0].strip().rstrip("/")
    whole = base if f"{base}/".startswith(f"{proxy}/") else proxy + base  # some frameworks add the proxy's part themselves
    headers["x-forwarded-prefix"] = whole
    return whole + path
