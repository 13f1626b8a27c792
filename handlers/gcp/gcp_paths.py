"""Let a path with repeated slashes reach the function, as on the other clouds; Flask itself answers it with a redirect."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    import flask


def join_slashes(app: "flask.Flask") -> None:
    """Join repeated slashes before Flask looks at a path.

    A client that does not follow the redirect, or follows it by GET, would get no prediction.
    """
    inner = app.wsgi_app

    def outer(variables: "dict[str, Any]", start_response: "Any") -> "Any":
        path = variables.get("PATH_INFO", "")
        if "//" in path:
            variables["PATH_INFO"] = "/" + "/".join([part for part in path.split("/") if part])
        return inner(variables, start_response)

    app.wsgi_app = outer  # type: ignore[assignment]
