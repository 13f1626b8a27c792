"""Parse and validate queries of GraphQL, within limits on their tokens, their depth and their aliases."""

# imports late: graphql
from flyweight.errors import MalformedRequest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from graphql import DocumentNode, GraphQLError, GraphQLSchema

MOST_TOKENS, MOST_DEPTH, MOST_ALIASES = 20_000, 16, 30  # the usual introspection is 14 deep


class Unreadable(MalformedRequest):
    """A query that is not valid; `errors` are those of its answer."""

    def __init__(self, errors: "list[GraphQLError]") -> None:
        super().__init__("; ".join([error.message for error in errors[:3]]))
        self.errors = errors


def valid(query: str, schema: "GraphQLSchema") -> "DocumentNode":
    """Parse and validate a query.

    :raises Unreadable: it is not valid, or beyond a limit.
    """
    import graphql as g

    try:
        document = g.parse(query, max_tokens=MOST_TOKENS)
        depth, aliases = _extent(document)
    except g.GraphQLSyntaxError as failure:
        hint = "; send instances as variables" if "tokens" in failure.message else ""
        raise Unreadable([g.GraphQLError(failure.message + hint, failure.nodes, failure.source, failure.positions)]) from None
    except RecursionError:
        raise Unreadable([g.GraphQLError("the query is nested too deeply")]) from None
    if depth > MOST_DEPTH:
        raise Unreadable([g.GraphQLError(f"the query is nested {depth} deep, the limit is {MOST_DEPTH}")])
    if aliases > MOST_ALIASES:
        raise Unreadable([g.GraphQLError(f"the query has {aliases} aliases, the limit is {MOST_ALIASES}")])
    rules = (*g.specified_rules, g.validation.MaxIntrospectionDepthRule)
    if errors := g.validate(schema, document, rules, max_errors=20):
        raise Unreadable(errors)
    return document


def names(document: "DocumentNode") -> "set[str]":
    """List the names of the fields of a query."""
    found: set[str] = set()
    waiting: list[Any] = [*document.definitions]
    while waiting:
        node = waiting.pop()
        if node.kind == "field":
            found.add(node.name.value)
        if getattr(node, "selection_set", None):
            waiting += node.selection_set.selections
    return found


def _extent(document: "DocumentNode") -> "tuple[int, int]":
    """Measure a query: how deep its fields are nested, fragments included, and how many aliases it has."""
    import graphql as g

    fragments = {one.name.value: one for one in document.definitions if isinstance(one, g.FragmentDefinitionNode)}
    depths: dict[str, int] = {}
    aliases = 0

    def deep(node: "Any") -> int:
        nonlocal aliases
        if isinstance(node, g.FragmentSpreadNode):
            name = node.name.value
            if name not in depths:
                depths[name] = 0  # of a fragment that spreads itself, which the rules refuse
                depths[name] = deep(fragments[name]) if name in fragments else 0
            return depths[name]
        field = isinstance(node, g.FieldNode)
        aliases += field and node.alias is not None
        selections = node.selection_set.selections if getattr(node, "selection_set", None) else ()
        return field + max([deep(selection) for selection in selections], default=0)

    return max([deep(one) for one in document.definitions], default=0), aliases
