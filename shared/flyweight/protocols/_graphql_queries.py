"""Parse and validate queries of GraphQL, within limits on their length, their fields, their depth and their aliases."""

# imports late: graphql
from flyweight.errors import MalformedRequest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from graphql import DocumentNode, GraphQLError, GraphQLSchema

MOST_TOKENS, MOST_DEPTH, MOST_ALIASES = 20_000, 16, 30  # the usual introspection is 14 deep
MOST_LETTERS = 100_000  # errors repeat the names that a query has
MOST_PARTS = 500  # operations, fragments and fields together: validation compares each field with each other one


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

    if len(query) > MOST_LETTERS:
        words = f"the query has {len(query)} characters, the limit is {MOST_LETTERS}; send instances as variables"
        raise Unreadable([g.GraphQLError(words)])
    try:
        document = g.parse(query, max_tokens=MOST_TOKENS)
        depth, aliases, parts = _extent(document)
    except g.GraphQLSyntaxError as failure:
        hint = "; send instances as variables" if "tokens" in failure.message else ""
        raise Unreadable([g.GraphQLError(failure.message + hint, failure.nodes, failure.source, failure.positions)]) from None
    except RecursionError:
        raise Unreadable([g.GraphQLError("the query is nested too deeply")]) from None
    if depth > MOST_DEPTH:
        raise Unreadable([g.GraphQLError(f"the query is nested {depth} deep, the limit is {MOST_DEPTH}")])
    for count, most, what in ((aliases, MOST_ALIASES, "aliases"), (parts, MOST_PARTS, "operations, fragments and fields")):
        if count > most:
            raise Unreadable([g.GraphQLError(f"the query has {count} {what}, the limit is {most}")])
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


def _extent(document: "DocumentNode") -> "tuple[int, int, int]":
    """Measure a query: how deep its fields are nested, fragments included, how many aliases it has, and how many parts."""
    import graphql as g

    fragments = {one.name.value: one for one in document.definitions if isinstance(one, g.FragmentDefinitionNode)}
    depths: dict[str, int] = {}
    aliases = parts = 0

    def deep(node: "Any") -> int:
        nonlocal aliases, parts
        parts += 1
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

    return max([deep(one) for one in document.definitions], default=0), aliases, parts
