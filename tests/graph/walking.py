"""Walks the schema by itself: every field of every type, reached from the root, with ids of somebody's choice."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLUnionType,
    get_named_type,
    is_leaf_type,
    is_required_argument,
    is_required_input_field,
)

from domain.ids import Kind
from graph.schema import schema

CORE = schema._schema

KINDS = {
    "Workspace": Kind.WORKSPACE,
    "ApiKey": Kind.KEY,
    "ApiClient": Kind.CLIENT,
    "Document": Kind.DOCUMENT,
    "Runner": Kind.RUNNER,
    "Profile": Kind.PROFILE,
    "Site": Kind.SITE,
    "Page": Kind.PAGE,
    "Schedule": Kind.SCHEDULE,
    "Snapshot": Kind.SNAPSHOT,
    "Verdict": Kind.VERDICT,
    "Alert": Kind.ALERT,
    "Channel": Kind.CHANNEL,
    "Route": Kind.ROUTE,
    "Delivery": Kind.DELIVERY,
    "Budget": Kind.BUDGET,
    "Breach": Kind.BREACH,
    "Deploy": Kind.DEPLOY,
    "Annotation": Kind.ANNOTATION,
    "Audit": Kind.AUDIT,
    "Finding": Kind.FINDING,
    "Artifact": Kind.FILE,
    "DeadJob": Kind.JOB,
    "Invitation": Kind.INVITATION,
}
"""Which id belongs to which type."""

NAMED = {"profile": Kind.PROFILE, "profiles": Kind.PROFILE, "site": Kind.SITE, "page": Kind.PAGE, "audit": Kind.AUDIT} | {
    "workspace": Kind.WORKSPACE,
    "client": Kind.CLIENT,
    "schedule": Kind.SCHEDULE,
    "snapshot": Kind.SNAPSHOT,
    "annotation": Kind.ANNOTATION,
    "before": Kind.SNAPSHOT,
    "pages": Kind.PAGE,
    "alert": Kind.ALERT,
    "channel": Kind.CHANNEL,
    "route": Kind.ROUTE,
    "delivery": Kind.DELIVERY,
    "budget": Kind.BUDGET,
    "target": Kind.PAGE,
    "ids": Kind.SITE,
    "sites": Kind.SITE,
    "job": Kind.JOB,
    "user": Kind.USER,
    "session": Kind.SESSION,
    "invitation": Kind.INVITATION,
    "key": Kind.KEY,
}
"""Which id an argument or input field of this name takes. A new name fails here, and is to be added."""


WITHOUT_PERMISSION: Mapping[str, str] = {
    "accountCreate": "whoever does it is nobody yet",
    "accountDelete": "one's own account",
    "accountExport": "one's own account",
    "accountUpdate": "one's own account",
    "emailChange": "one's own account",
    "emailVerificationRequest": "whoever does it may not be signed in yet",
    "emailVerify": "what was mailed is the permission",
    "invitationAccept": "what was mailed is the permission",
    "passwordChange": "one's own account",
    "passwordReset": "what was mailed is the permission",
    "passwordResetRequest": "whoever does it cannot sign in",
    "sessionCreate": "whoever does it is nobody yet",
    "sessionRefresh": "the refresh token is the permission",
    "sessionRevoke": "one's own sessions",
    "sessionsRevoke": "one's own sessions",
    "signOut": "one's own session",
    "workspaceCreate": "nobody is in it yet",
    "workspaceRestore": "nobody is in a deleted workspace: its owners bring it back",
}
"""Mutations that ask for no permission in a workspace, and why. All others say in the schema which one they ask for."""

OF_PEOPLE = WITHOUT_PERMISSION.keys() - {"sessionRevoke", "workspaceRestore"}
"""Mutations that take no id: about one's own person, or by a secret that was mailed."""


@dataclass
class Owner:
    """Whose ids and words are given: `ids` by kind, `texts` by the argument's name or by `<type that it finds>.<name>`."""

    ids: Mapping[Kind, str]
    texts: Mapping[str, str]

    def value(self, name: str, type_: Any, of: Any = None) -> Any:
        """Something that can be given for an argument. `of` is the type that the field gives, for an argument `id`."""
        if isinstance(type_, GraphQLNonNull):
            return self.value(name, type_.of_type, of)
        if isinstance(type_, GraphQLList):
            return [self.value(name, type_.of_type, of)]
        if isinstance(type_, GraphQLEnumType):
            return next(iter(type_.values))
        if isinstance(type_, GraphQLInputObjectType):
            return self.object(type_, lambda field: bool(is_required_input_field(field)))
        match type_.name:
            case "ID":
                kind = KINDS.get(getattr(of, "name", ""), Kind.SITE) if name == "id" else NAMED[name]
                return self.ids[kind]
            case "Int":
                return 1
            case "Float":
                return 1.0
            case "String":
                return self.texts.get(f"{getattr(of, 'name', '')}.{name}") or self.texts[name]
        raise KeyError(f"{name}: {type_}")

    def object(self, type_: GraphQLInputObjectType, wanted: Callable[[GraphQLInputField], bool]) -> dict[str, Any]:
        fields = {name: each for name, each in type_.fields.items() if wanted(each) or holds_ids(each.type)}
        if type_.extensions["strawberry-definition"].is_one_of:  # which graphql-core is not told
            held = {name: each for name, each in fields.items() if holds_ids(each.type)}
            fields = held or dict(list(type_.fields.items())[:1])
        return {name: self.value(name, each.type) for name, each in fields.items()}


def holds_ids(type_: Any) -> bool:
    named: Any = get_named_type(type_)
    if isinstance(named, GraphQLInputObjectType):
        return any(holds_ids(each.type) for each in named.fields.values())
    return bool(named.name == "ID")


@dataclass
class Operation:
    """A text with its variables; `what` says which field it is about."""

    what: str
    text: str
    variables: dict[str, Any]


@dataclass
class _Text:
    """Arguments become variables: whatever they hold is sent as it is."""

    variables: dict[str, Any] = field(default_factory=dict)
    declared: list[str] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=count)

    def call(self, name: str, given: Mapping[str, tuple[Any, Any]]) -> str:
        parts = []
        for argument, (type_, value) in given.items():
            variable = f"v{next(self.numbers)}"
            self.variables[variable] = value
            self.declared.append(f"${variable}: {type_}")
            parts.append(f"{argument}: ${variable}")
        return f"{name}({', '.join(parts)})" if parts else name

    def operation(self, kind: str, body: str) -> str:
        return f"{kind} ({', '.join(self.declared)}) {{ {body} }}" if self.declared else f"{kind} {{ {body} }}"


Step = tuple[str, GraphQLField]
Path = tuple[Step, ...]


def paths() -> dict[str, Path]:
    """The shortest way from the root to each object type that a query can give."""
    assert CORE.query_type is not None
    found: dict[str, Path] = {}
    waiting: list[tuple[GraphQLObjectType, Path]] = [(CORE.query_type, ())]
    while waiting:
        type_, path = waiting.pop(0)
        for name, each in type_.fields.items():
            given = get_named_type(each.type)
            if isinstance(given, GraphQLObjectType) and given.name not in found:
                found[given.name] = (*path, (name, each))
                waiting.append((given, found[given.name]))
    return found


def read(type_: Any, depth: int) -> str:
    """Every field that needs no argument, `depth` objects deep; aliased, since fragments may use one name for two types."""
    if is_leaf_type(type_):
        return ""
    if isinstance(type_, GraphQLInterfaceType | GraphQLUnionType):
        parts = (f"... on {each.name} {read(each, depth)}" for each in CORE.get_possible_types(type_))
        return f"{{ __typename {' '.join(parts)} }}"
    fields = ["__typename"]
    for name, each in type_.fields.items():
        given = get_named_type(each.type)
        needs = any(is_required_argument(argument) for argument in each.args.values())
        if not needs and (is_leaf_type(given) or depth) and (type_.name, name) != ("NotFound", "id"):
            fields.append(f"{type_.name}_{name}: {name} {read(given, depth - 1)}")
    return f"{{ {' '.join(fields)} }}"


def stand(path: Path, owner: Owner, inner: str, text: _Text | None = None) -> tuple[str, _Text]:
    """`inner` at the end of the path, asked with the owner's ids and words."""
    text = text or _Text()
    calls = []
    for name, each in path:
        needed = {argument: it for argument, it in each.args.items() if is_required_argument(it)}
        given = {arg: (it.type, owner.value(arg, it.type, get_named_type(each.type))) for arg, it in needed.items()}
        calls.append(text.call(name, given))
    for call in reversed(calls):
        inner = f"{call} {inner}"
        inner = f"{{ {inner} }}"
    return inner.removeprefix("{").removesuffix("}") if calls else inner, text


def reading(where: Owner, what: Owner, cursors: Mapping[str, str]) -> Iterator[Operation]:
    """Every field of every type: the way there with the ids of `where`, the field itself with those of `what`."""
    assert CORE.query_type is not None
    for type_name, path in {CORE.query_type.name: (), **paths()}.items():
        type_ = CORE.type_map[type_name]
        assert isinstance(type_, GraphQLObjectType)
        for name, each in type_.fields.items():
            given = get_named_type(each.type)
            for place, arguments in enumerate(_choices(each.args, what, given, cursors)):
                # Shallow too: deep down an object's wall could hide a hole above it, by making all of it null.
                for depth in {0} if is_leaf_type(given) else {_deep(given) - 1, _deep(given) - bool(place)}:
                    text = _Text()
                    call = text.call(name, {arg: (each.args[arg].type, value) for arg, value in arguments.items()})
                    body, text = stand(path, where, f"{{ {call} {read(given, depth)} }}", text)
                    if not path:
                        body = body.strip().removeprefix("{").removesuffix("}")
                    yield Operation(f"{type_name}.{name}", text.operation("query", body), text.variables)


def fields_of(owner: Owner, name: str) -> Iterator[Operation]:
    """Every field of the type once, and what is right below, at the end of the shortest way to it."""
    type_, path = CORE.type_map[name], paths().get(name, ())
    assert isinstance(type_, GraphQLObjectType)
    body, text = stand(path, owner, read(type_, 1))
    body = body if path else body.strip().removeprefix("{").removesuffix("}")
    yield Operation(name, text.operation("query", body), text.variables)
    for field_name, each in type_.fields.items():
        if any(is_required_argument(argument) for argument in each.args.values()):
            body, text = stand((*path, (field_name, each)), owner, read(get_named_type(each.type), 0))
            yield Operation(f"{name}.{field_name}", text.operation("query", body), text.variables)


def _choices(
    args: Mapping[str, GraphQLArgument], owner: Owner, given: Any, cursors: Mapping[str, str]
) -> Iterator[dict[str, Any]]:
    """What a field is asked with: what it needs, every kind of id where it takes one, and somebody's cursors."""
    needed = {name: owner.value(name, each.type, given) for name, each in args.items() if is_required_argument(each)}
    yield needed
    for name, each in args.items():
        if get_named_type(each.type).name == "ID":
            for id in owner.ids.values():
                yield needed | {name: [id] if isinstance(_bare(each.type), GraphQLList) else id}
        elif get_named_type(each.type).name == "Cursor":
            for cursor in cursors.values():
                yield needed | {name: cursor}
        elif name in ("search", "tags", "filter"):
            yield needed | {name: owner.value(name, each.type)}


def _deep(type_: Any) -> int:
    """What is found, and what that leads to; from what has no id, such as a connection, a step more."""
    return 1 if type_.name in (*KINDS, "Node") else 2


def _bare(type_: Any) -> Any:
    return type_.of_type if isinstance(type_, GraphQLNonNull) else type_


def changing(own: Owner, foreign: Owner) -> Iterator[Operation]:
    """Every mutation that takes ids: with foreign ids alone, and with one foreign id among the asker's own.

    Deletions come last, and that of the workspace after them all.
    """
    assert CORE.mutation_type is not None
    last = ("Delete", "workspaceDelete")
    for name, each in sorted(CORE.mutation_type.fields.items(), key=lambda field: [field[0].endswith(end) for end in last]):
        type_ = get_named_type(each.args["input"].type)
        assert isinstance(type_, GraphQLInputObjectType)
        ids = list(_id_paths(type_))
        if not ids:
            continue
        for chosen in [ids, *([path] for path in ids)]:
            input = own.object(type_, lambda field: bool(is_required_input_field(field)))
            theirs = foreign.object(type_, lambda field: bool(is_required_input_field(field)))
            for path in chosen:
                _put(input, theirs, path)
            union = get_named_type(each.type)
            assert isinstance(union, GraphQLUnionType)
            parts = " ".join(f"... on {member.name} {read(member, 1)}" for member in union.types)
            text = f"mutation ($input: {type_.name}!) {{ {name}(input: $input) {{ __typename {parts} }} }}"
            yield Operation(name, text, {"input": input})


def _id_paths(type_: GraphQLInputObjectType) -> Iterator[tuple[str, ...]]:
    for name, each in type_.fields.items():
        named = get_named_type(each.type)
        if isinstance(named, GraphQLInputObjectType):
            yield from ((name, *path) for path in _id_paths(named))
        elif named.name == "ID":
            yield (name,)


def _put(into: dict[str, Any], of: Mapping[str, Any], path: tuple[str, ...]) -> None:
    for name in path[:-1]:
        into, of = into[name], of[name]
    into[path[-1]] = of[path[-1]]


def roots(owner: Owner) -> Iterator[Operation]:
    """Every field of every root, asked with the owner's ids and words."""
    for kind, root in (("query", CORE.query_type), ("mutation", CORE.mutation_type), ("subscription", CORE.subscription_type)):
        assert root is not None
        for name, each in root.fields.items():
            body, text = stand(((name, each),), owner, read(get_named_type(each.type), 0))
            yield Operation(name, text.operation(kind, body), text.variables)


def watching(own: Owner, foreign: Owner) -> Iterator[Operation]:
    """Every subscription: with foreign ids alone, and with one foreign id beside the asker's own."""
    assert CORE.subscription_type is not None
    for name, each in CORE.subscription_type.fields.items():
        given = get_named_type(each.type)
        ids = {argument: it.type for argument, it in each.args.items() if holds_ids(it.type)}
        for chosen in (ids, *({argument: type_} for argument, type_ in ids.items())):
            needed = {arg: it.type for arg, it in each.args.items() if is_required_argument(it)} | chosen
            text = _Text()
            call = text.call(
                name, {arg: (it, (foreign if arg in chosen else own).value(arg, it, given)) for arg, it in needed.items()}
            )
            yield Operation(name, text.operation("subscription", f"{call} {read(given, 1)}"), text.variables)


HARMLESS = {"Int", "Float", "Boolean", "DateTime", "TimeZone"}
"""What names nothing that somebody could have. So do enums."""


def naming(type_: Any) -> bool:
    """Whether an argument of this type can name something of somebody's: an id, a slug, a cursor, a filter's word."""
    named: Any = get_named_type(type_)
    return not isinstance(named, GraphQLEnumType) and named.name not in HARMLESS


def arguments() -> set[str]:
    """Every argument of a query or subscription that can name something."""
    assert CORE.query_type is not None
    assert CORE.subscription_type is not None
    return {
        f"{type_name}.{name}({argument})"
        for type_name in (CORE.query_type.name, CORE.subscription_type.name, *paths())
        for name, each in CORE.type_map[type_name].fields.items()  # type: ignore[attr-defined]
        for argument, it in each.args.items()
        if naming(it.type)
    }


def naming_one(own: Owner, foreign: Owner, cursors: Mapping[str, str]) -> Iterator[Operation]:
    """Every argument that can name something, with each that `foreign` has of its kind; all else is `own`'s."""
    assert CORE.query_type is not None
    assert CORE.subscription_type is not None
    ways: dict[str, Path] = {CORE.query_type.name: (), CORE.subscription_type.name: (), **paths()}
    for type_name, path in ways.items():
        type_ = CORE.type_map[type_name]
        assert isinstance(type_, GraphQLObjectType)
        for name, each in type_.fields.items():
            given = get_named_type(each.type)
            needed = {arg: own.value(arg, it.type, given) for arg, it in each.args.items() if is_required_argument(it)}
            for argument, it in each.args.items():
                if not naming(it.type):
                    continue
                for value in _named(f"{type_name}.{name}", argument, it.type, foreign, given, cursors):
                    text = _Text()
                    call = text.call(name, {arg: (each.args[arg].type, of) for arg, of in (needed | {argument: value}).items()})
                    body, text = stand(path, own, f"{{ {call} {read(given, _deep(given) - 1)} }}", text)
                    body = body if path else body.strip().removeprefix("{").removesuffix("}")
                    kind = "subscription" if type_ is CORE.subscription_type else "query"
                    yield Operation(f"{type_name}.{name}({argument})", text.operation(kind, body), text.variables)


def _named(what: str, argument: str, type_: Any, owner: Owner, given: Any, cursors: Mapping[str, str]) -> Iterator[Any]:
    """Every kind of id, the list's own cursor and two of other lists, a word, or a filter by each of its fields."""
    named: Any = get_named_type(type_)
    if named.name == "ID":
        for id in owner.ids.values():
            yield [id] if isinstance(_bare(type_), GraphQLList) else id
    elif named.name == "Cursor":
        yield from ([cursors[what]] if what in cursors else [])
        yield from [cursor for of, cursor in cursors.items() if of != what][:2]
    elif isinstance(named, GraphQLInputObjectType):
        for name, each in named.fields.items():
            if naming(each.type):
                for value in _named(what, name, each.type, owner, None, cursors):
                    yield {name: value}
    else:
        yield owner.value(argument, type_, given)


def listing(owner: Owner) -> Iterator[Operation]:
    """Every list that has pages: the cursors of the first one."""
    for type_name, path in paths().items():
        for name, each in CORE.type_map[type_name].fields.items():  # type: ignore[attr-defined]
            if "after" in each.args:
                body, text = stand((*path, (name, each)), owner, "{ edges { cursor } }")
                yield Operation(f"{type_name}.{name}", text.operation("query", body), text.variables)
