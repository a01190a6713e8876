"""Regular expressions from outside, matched in a time that grows with the text and not with what the text could mean.

Python's own engine tries one way after another, and there are short expressions for which that never ends. Here all ways
are walked at once (Thompson, 1968): at each character the set of places in the expression where a match could be.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache

MAX_REGEX = 300
MAX_PLACES = 300
MAX_REPEATS = 50
MAX_TEXT = 1_024

Test = Callable[[str], bool]

_MATCH = "match"

_DIGITS = frozenset("0123456789")
_WORD = _DIGITS | frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_")
_SPACE = frozenset(" \t\n\r\f\v\u00a0\ufeff\u2028\u2029")
_SETS = {"d": _DIGITS, "w": _WORD, "s": _SPACE}
_CONTROLS = {"n": "\n", "r": "\r", "t": "\t", "f": "\f", "v": "\v", "0": "\0"}
_PLAIN_ESCAPES = frozenset("\\/.*+?()[]{}|^$-&%:=#@!~,;'\"<>` _")


class Unreadable(ValueError):  # noqa: N818 - what the expression is
    """The expression is none, or one that is not taken; the message is a sentence."""


@dataclass(slots=True)
class _Place:
    """Where a match can be: it goes on over a character that passes `test`, else freely, at an edge of the text only."""

    test: Test | None = None
    edge: str = ""
    to: list[_Place] = field(default_factory=list)


@dataclass(slots=True)
class _Part:
    """A piece of the expression: from its first place, and through each loose end on to what follows."""

    first: _Place
    last: _Place


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.places = 0
        self.depth = 0

    def place(self, test: Test | None = None, edge: str = "") -> _Place:
        self.places += 1
        if self.places > MAX_PLACES:
            raise Unreadable("This regular expression is too large: shorten it, or count less in {…}.")
        return _Place(test, edge)

    def peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def take(self) -> str:
        char = self.peek()
        if not char:
            raise Unreadable("This regular expression ends too early.")
        self.at += 1
        return char

    def whole(self) -> _Place:
        part = self.choice()
        if self.peek():
            raise Unreadable("This regular expression has a ) too many.")
        part.last.to.append(self.place(edge=_MATCH))
        return part.first

    def choice(self) -> _Part:
        parts = [self.sequence()]
        while self.peek() == "|":
            self.at += 1
            parts.append(self.sequence())
        if len(parts) == 1:
            return parts[0]
        first, last = self.place(), self.place()
        for part in parts:
            first.to.append(part.first)
            part.last.to.append(last)
        return _Part(first, last)

    def sequence(self) -> _Part:
        first = last = self.place()
        while self.peek() not in ("", "|", ")"):
            part = self.repeated()
            last.to.append(part.first)
            last = part.last
        return _Part(first, last)

    def repeated(self) -> _Part:
        begin = self.at
        part = self.one()
        least, most = self.number()
        if (least, most) == (1, 1):
            return part
        end = self.at
        first = last = self.place()
        for turn in range(max(least, most or 0, 1)):
            again = part if turn == 0 else self.copy(begin)
            last.to.append(again.first)
            if turn >= least:
                skip = self.place()
                last.to.append(skip)
                again.last.to.append(skip)
                last = skip
            else:
                last = again.last
            if most is None and turn == max(least, 1) - 1:
                again.last.to.append(again.first)
        self.at = end
        return _Part(first, last)

    def copy(self, begin: int) -> _Part:
        self.at = begin
        return self.one()

    def number(self) -> tuple[int, int | None]:
        """How often the piece before may come: at least, and at most."""
        found: tuple[int, int | None] = {"*": (0, None), "+": (1, None), "?": (0, 1)}.get(self.peek(), (1, 1))
        if self.peek() in ("*", "+", "?"):
            self.at += 1
        elif self.peek() == "{":
            found = self.braces()
        else:
            return found
        if self.peek() == "?":  # as little as possible: whether there is a match stays the same
            self.at += 1
        if self.peek() in ("*", "+", "?", "{"):
            raise Unreadable("This regular expression repeats a repetition: put it into ( ).")
        return found

    def braces(self) -> tuple[int, int | None]:
        end = self.text.find("}", self.at)
        least, comma, most = self.text[self.at + 1 : max(end, self.at + 1)].partition(",")
        if end < 0 or not least.isdecimal() or not (most == "" or most.isdecimal()):
            raise Unreadable("A { in a regular expression is followed by numbers, as in {2,5}; for itself write \\{.")
        self.at = end + 1
        numbers = int(least[:6]), int(most[:6]) if most else None if comma else int(least[:6])
        if max(number or 0 for number in numbers) > MAX_REPEATS or (numbers[1] is not None and numbers[1] < max(numbers[0], 1)):
            raise Unreadable(
                f"A regular expression repeats {{at least,at most}} times, at most {MAX_REPEATS}, the larger last."
            )
        return numbers

    def one(self) -> _Part:
        char = self.take()
        if char == "(":
            return self.group()
        if char in "^$":
            place = self.place(edge=char)
            return _Part(place, place)
        if char in "*+?{":
            raise Unreadable(f"There is nothing before {char} in this regular expression that it could repeat.")
        test: Test
        if char == ".":
            test = lambda each: each not in "\n\r\u2028\u2029"  # noqa: E731 - one of several
        elif char == "[":
            test = self.set()
        elif char == "\\":
            test = self.escape().__contains__
        else:
            test = char.__eq__
        first, last = self.place(test), self.place()
        first.to.append(last)
        return _Part(first, last)

    def group(self) -> _Part:
        if self.peek() == "?":
            self.at += 1
            if self.take() != ":":
                raise Unreadable("Only ( ) and (?: ) are taken in a regular expression: no look ahead or behind, no names.")
        self.depth += 1
        if self.depth > 20:
            raise Unreadable("This regular expression has too many ( ( ( inside one another.")
        part = self.choice()
        self.depth -= 1
        if self.peek() != ")":
            raise Unreadable("A ( in this regular expression is not closed.")
        self.at += 1
        return part

    def escape(self) -> frozenset[str] | _Without:
        char = self.take()
        if char in _SETS:
            return _SETS[char]
        if char.lower() in _SETS:
            return _Without(_SETS[char.lower()])
        if char in _CONTROLS:
            return frozenset(_CONTROLS[char])
        if char in _PLAIN_ESCAPES:
            return frozenset(char)
        raise Unreadable(f"\\{char} is not taken in a regular expression; \\d \\w \\s \\D \\W \\S and \\. \\/ and such are.")

    def set(self) -> Test:
        negative = self.peek() == "^"
        self.at += negative
        chars: set[str] = set()
        ranges: list[tuple[str, str]] = []
        others: list[_Without] = []
        while (char := self.take()) != "]":
            if char == "\\":
                found = self.escape()
                if isinstance(found, _Without):
                    others.append(found)
                    continue
                if len(found) > 1:
                    chars |= found
                    continue
                (char,) = found
            if self.peek() == "-" and self.text[self.at + 1 : self.at + 2] not in ("", "]"):
                self.at += 1
                end = self.take()
                if end == "\\":
                    (end,) = self.single()
                if end < char:
                    raise Unreadable(f"{char}-{end} in a regular expression is a range from back to front.")
                ranges.append((char, end))
            else:
                chars.add(char)

        def test(each: str) -> bool:
            inside = each in chars or any(low <= each <= high for low, high in ranges) or any(each in other for other in others)
            return inside != negative

        return test

    def single(self) -> frozenset[str]:
        found = self.escape()
        if isinstance(found, _Without) or len(found) != 1:
            raise Unreadable("A range in a regular expression goes from one character to one other.")
        return found


@dataclass(frozen=True, slots=True)
class _Without:
    chars: frozenset[str]

    def __contains__(self, char: object) -> bool:
        return char not in self.chars


@lru_cache(256)
def read(pattern: str) -> _Place:
    """Where matches of the expression begin. Raises Unreadable."""
    if len(pattern) > MAX_REGEX:
        raise Unreadable(f"A regular expression is at most {MAX_REGEX} characters.")
    return _Reader(pattern).whole()


@lru_cache(4_096)
def found(pattern: str, text: str) -> bool:
    """Whether the expression matches anywhere in the text, as JavaScript's `new RegExp(pattern).test(text)` says it."""
    text = text[:MAX_TEXT]
    first = read(pattern)
    here: dict[int, _Place] = {}
    for at in range(len(text) + 1):
        if _reach(here, first, at, len(text)):
            return True
        if at == len(text):
            return False
        over = [place.to[0] for place in here.values() if place.test is not None and place.test(text[at])]
        here = {}
        for place in over:
            if _reach(here, place, at + 1, len(text)):
                return True
    return False


def _reach(here: dict[int, _Place], place: _Place, at: int, end: int) -> bool:
    """Go wherever no character is needed. Whether that is the end of the expression."""
    waiting = [place]
    while waiting:
        place = waiting.pop()
        if id(place) in here:
            continue
        if place.edge == _MATCH:
            return True
        if (place.edge == "^" and at) or (place.edge == "$" and at != end):
            continue
        here[id(place)] = place
        if place.test is None:
            waiting += place.to
    return False
