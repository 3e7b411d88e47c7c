"""Which recorded command lines answer the question for a program: the same one, however it was spelled, or a wider one.

People run `sudo /usr/sbin/smartctl --json --xall /dev/sda`, a collector asks `smartctl -j -a /dev/sda`. What is safe to take
for the same is written here, program by program; everything else is another question.
"""

import re
import shlex
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from posixpath import basename

Argv = tuple[str, ...]
Items = Counter[tuple[str, str]]
"""The arguments without their order: option and value, or an empty option and an operand."""

TO_NOWHERE = re.compile(r"\s+(?:2>\s*/dev/null|2>&1)(?=\s|$)")
SHELL = set("|&;<>")
PREFIXES = {"sudo", "env", "command", "doas"}
INTERNAL_DISK = re.compile(r"IOService:/.*/AppleANS\d*NVMeController/NS_01@1")
"""The first name space of the controller in an Apple chip, which macOS always calls disk0."""
NO_EFFECT = {"--no-pager", "--color=never", "-color=never"}


@dataclass(frozen=True, slots=True)
class Grammar:
    """What the options of a program mean for its answer."""

    spellings: Mapping[str, str] = field(default_factory=dict)
    """Other words for the same; '' for those without which it says the same."""
    clusters: str = ""
    """The options of one letter that are also written together: with `Jb`, `-Jb` is `-J -b`; `*`: all of them."""
    values: frozenset[str] = frozenset()
    """Options that are followed by a value."""
    free: frozenset[str] = frozenset()
    """Options that only add or leave out something in an answer that says itself what it holds."""
    columns: frozenset[str] = frozenset()
    """Options whose value, behind `=`, chooses the columns of a table that names them."""
    narrow: frozenset[str] = frozenset()
    """Options that leave out all but a part: an answer without them holds it."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


GRAMMARS: Mapping[str, Grammar] = {
    "brew": Grammar(),
    "sw_vers": Grammar(),
    "tailscale": Grammar(),
    "df": Grammar(clusters="*", values=_words("-B -t -x"), free=_words("-P -l -a"), spellings={"--portability": "-P"}),
    "dmidecode": Grammar(
        values=_words("-t -s -d"),
        free=_words("-q"),
        spellings={"--type": "-t", "--quiet": "-q", "--string": "-s", "--no-sysfs": ""},
    ),
    "ethtool": Grammar(),
    "ifconfig": Grammar(free=_words("-a -v")),
    "ioreg": Grammar(clusters="*", values=_words("-c -n -w -d -p -k"), free=_words("-w -l -d -t -i")),
    "ip": Grammar(
        spellings={
            "-json": "-j",
            "--json": "-j",
            "-details": "-d",
            "--details": "-d",
            "-statistics": "-s",
            "-family": "-f",
            "-p": "",
            "-pretty": "",
            "-o": "-o",
            "a": "addr",
            "ad": "addr",
            "address": "addr",
            "l": "link",
            "r": "route",
            "ro": "route",
            "show": "",
            "list": "",
            "ls": "",
            "sh": "",
        },
        free=_words("-d -s"),
        narrow=_words("-4 -6"),
    ),
    "lsblk": Grammar(
        clusters="*",
        values=_words("-o -e -I -x -E -M -w"),
        free=_words("-b -O -a -f -p -t -S -m -D -z -o -e -I -x"),
        spellings={
            "--json": "-J",
            "--bytes": "-b",
            "--output-all": "-O",
            "--output": "-o",
            "--all": "-a",
            "--fs": "-f",
            "--paths": "-p",
            "--pairs": "-P",
            "--list": "-l",
            "--raw": "-r",
            "--noheadings": "-n",
        },
    ),
    "lscpu": Grammar(
        spellings={"--json": "-J", "--extended": "-e", "--parse": "-p", "--caches": "-C"},
        columns=_words("-e -p"),
    ),
    "lshw": Grammar(free=_words("-quiet -sanitize -notime -numeric")),
    "lsof": Grammar(clusters="nPlOR"),
    "lvs": Grammar(
        values=_words("-o --units --reportformat"),
        free=_words("-o -a --nosuffix --noheadings"),
        spellings={"--options": "-o", "--all": "-a"},
    ),
    "netstat": Grammar(clusters="*", values=_words("-f"), narrow=_words("-f"), free=_words("-W -l")),
    "numactl": Grammar(spellings={"-H": "--hardware"}),
    "nvidia-smi": Grammar(clusters="*", spellings={"--query": "-q", "--xml-format": "-x"}),
    "nvme": Grammar(
        values=_words("-o"),
        free=_words("-v"),
        spellings={"--output-format": "-o", "-ojson": "-o=json", "--verbose": "-v"},
    ),
    "rocm-smi": Grammar(
        spellings={"--showallinfo": "-a"},
        values=_words("--showmeminfo -d"),
        free=_words(
            "-a -i -t -c -g -f -P -u -l -v -b --showmeminfo --showproductname --showid --showvbios --showdriverversion --showuse "
            "--showtemp --showfan --showpower --showclocks --showmemuse --showserial --showuniqueid --showbus --showhw "
            "--showmaxpower --showmemvendor --showfwinfo --showtopo --showvoltage --showperflevel --showpids --showrasinfo"
        ),
    ),
    "smartctl": Grammar(
        clusters="*",
        values=_words("-d -n -l -f -g -v -T -q -F"),
        free=_words("-a -x -i -H -A -c -l -d -n -f -g -T -q -F"),
        spellings={
            "--json": "-j",
            "--all": "-a",
            "--xall": "-x",
            "--info": "-i",
            "--health": "-H",
            "--attributes": "-A",
            "--capabilities": "-c",
            "--device": "-d",
            "--nocheck": "-n",
            "--log": "-l",
            "--get": "-g",
        }
        | {f"--json={forms}": "-j" for forms in ("c", "g", "i", "o", "s", "u", "v", "cg", "co", "cv")},
    ),
    "ss": Grammar(
        clusters="*",
        spellings={"--listening": "-l", "--tcp": "-t", "--udp": "-u", "--numeric": "-n", "--processes": "-p"},
    ),
    "system_profiler": Grammar(
        values=_words("-detailLevel -timeout"),
        free=_words("-detailLevel -timeout -nospawn"),
        spellings={"-nospawn": ""},
    ),
    "systemctl": Grammar(spellings={"--full": "", "-l": "", "-a": "--all"}),
    "uname": Grammar(clusters="*"),
    "zpool": Grammar(clusters="*"),
}
PLAIN = Grammar()


def parsed(line: str) -> Argv | None:
    """The program and arguments of a command line as a person wrote it; None for more than one plain command."""
    line = TO_NOWHERE.sub("", line)
    try:
        reader = shlex.shlex(line, posix=True, punctuation_chars="|&;<>")
        reader.whitespace_split = True
        reader.commenters = ""
        words = list(reader)
        quoted = "'" in line or '"' in line or "\\" in line
    except ValueError:
        words, quoted = line.split(), False
    if not quoted and any(set(word) <= SHELL for word in words if word):
        return None
    while words and (words[0] in PREFIXES or re.fullmatch(r"[A-Za-z_]\w*=.*", words[0])):
        prefix = words.pop(0)
        while prefix == "sudo" and words and words[0] in ("-n", "-E", "-H", "-S", "--"):
            words.pop(0)
    return tuple(words) or None


def program_of(argv: Argv) -> str:
    """The program without its folder, in lower case as commands are: an application of a Mac may be called by its name."""
    return basename(argv[0]).lower()


def items(argv: Argv) -> Items:
    """The arguments without their order, in one spelling."""
    grammar = GRAMMARS.get(program_of(argv), PLAIN)
    found: Items = Counter()
    words = list(_spelled(argv[1:], grammar))
    while words:
        word = words.pop(0)
        option, equals, value = word.partition("=")
        if option in grammar.values and (equals or words):
            value = value if equals else words.pop(0)
            # `-d megaraid,14` is another disk than without; so is no other value.
            found["" if option == "-d" and "," in value else option, value] += 1
        elif word.startswith("-") and len(word) > 1:
            found[word, ""] += 1
        else:
            found["", _operand(program_of(argv), word)] += 1
    return found


def _operand(program: str, word: str) -> str:
    if program == "diskutil":
        return word.removeprefix("/dev/")
    if program == "smartctl":
        return "/dev/disk0" if INTERNAL_DISK.fullmatch(word) else re.sub(r"^(?=disk\d+$)", "/dev/", word)
    return word


def _spelled(words: Iterable[str], grammar: Grammar) -> Iterator[str]:
    for word in words:
        option, equals, value = word.partition("=")
        if word in NO_EFFECT or grammar.spellings.get(word) == "":
            continue
        if (plain := grammar.spellings.get(option, option)) in grammar.columns:
            yield plain
            continue
        if word in grammar.spellings:
            yield grammar.spellings[word]
        elif option in grammar.spellings and option.startswith("--"):
            yield grammar.spellings[option] + equals + value
        elif re.fullmatch(r"-[A-Za-z0-9]{2,}", word) and (
            grammar.clusters == "*" or set(word[1:]) <= set(grammar.clusters)
        ):
            yield from _split(word, grammar)
        else:
            yield word


def _split(cluster: str, grammar: Grammar) -> Iterator[str]:
    """`-PlTB1` as `-P -l -T -B 1`."""
    letters = cluster[1:]
    for place, letter in enumerate(letters, 1):
        yield f"-{letter}"
        if f"-{letter}" in grammar.values:
            if rest := letters[place:]:
                yield rest
            return


def distance(asked: Argv, recorded: Argv) -> int | None:
    """How far the answer to a recorded command is from that to the question; None where it is no answer to it.

    0: the very same line; 1: of the program in another folder; 2: the same options in other words; from 3: it holds what was
    asked, with something more, or something less that it does not claim to hold.
    """
    if asked == recorded:
        return 0
    program = program_of(asked)
    if program != program_of(recorded):
        return None
    if "/" in asked[0] and asked[0] != recorded[0] and program not in GRAMMARS:
        return None  # one of several compilers of the same name, say
    if asked[1:] == recorded[1:]:
        return 1
    wanted, there = items(asked), items(recorded)
    if wanted == there:
        return 2
    grammar = GRAMMARS.get(program, PLAIN)
    more, less = there - wanted, wanted - there
    if all(option in grammar.free for option, _ in more) and all(
        option in grammar.free or option in grammar.narrow for option, _ in less
    ):
        return 3 + more.total() + less.total()
    return None
