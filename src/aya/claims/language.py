"""German and French documents: their labels in the words that rules know, and their numbers as English ones write them."""

import re
from collections.abc import Mapping

GERMAN = {
    "modell": "model", "seriennummer": "serial number", "prozessor": "processor", "kerne": "cores", "anzahl kerne": "cores",
    "prozessorkerne": "cpu cores", "gpu-kerne": "gpu cores", "performance-kerne": "performance cores",
    "effizienzkerne": "efficiency cores", "arbeitsspeicher": "memory", "hauptspeicher": "memory", "grafikkarte": "gpu",
    "speicherbandbreite": "memory bandwidth", "betriebssystem": "operating system", "rechnername": "hostname",
    "ip-adresse": "ip address", "ipv4-adresse": "ipv4 address", "mac-adresse": "mac address", "subnetzmaske": "subnet mask",
    "netzmaske": "subnet mask", "geschwindigkeit": "speed", "gestartet": "started", "gestartet am": "started",
    "laufzeit": "uptime", "betriebszeit": "uptime", "datenverzeichnis": "data directory", "rolle": "role",
    "architektur": "architecture", "kapazität": "capacity", "freier speicher": "free space", "durchsatz": "throughput",
    "verzögerung": "lag", "stand": "as of", "datum": "date",
}  # fmt: skip
FRENCH = {
    "modèle": "model", "numéro de série": "serial number", "processeur": "processor", "cœurs": "cores", "coeurs": "cores",
    "nombre de cœurs": "cores", "cœurs gpu": "gpu cores", "mémoire": "memory", "mémoire vive": "memory",
    "carte graphique": "gpu", "bande passante mémoire": "memory bandwidth", "système d'exploitation": "operating system",
    "système": "operating system", "noyau": "kernel", "nom d'hôte": "hostname", "adresse ip": "ip address",
    "adresse ipv4": "ipv4 address", "adresse mac": "mac address", "masque": "subnet mask",
    "masque de sous-réseau": "subnet mask", "passerelle": "gateway", "vitesse": "speed", "démarré": "started",
    "démarré le": "started", "durée de fonctionnement": "uptime", "répertoire des données": "data directory",
    "rôle": "role", "capacité": "capacity", "espace libre": "free space", "débit": "throughput", "retard": "lag",
}  # fmt: skip
_LEAST = 3
"""So many labels of a language make a document one of it."""
_LABEL = re.compile(r"^[\s>*+|_-]*(?P<label>[^\W\d_][^:|=*\n]{2,30}?)\s*[*_]*\s*[:|=]", re.MULTILINE)
_GROUPED = re.compile(r"(?<![\w.,])\d{1,3}(?:[.\u00a0\u202f ]\d{3})+(?:,\d+)?(?=\s?[^\W\d_]|\s?%)")
_DECIMAL = re.compile(r"(?<![\w.,])(\d+),(\d+)(?![\w,]|\.\d)")
_OCTETS = re.compile(r"(?<=\d)(\s?)([KMGT])o\b")

_SPANS = {
    "sekunden": "seconds", "minuten": "minutes", "stunden": "hours", "stunde": "hour", "tage": "days", "tag": "day",
    "tagen": "days", "secondes": "seconds", "heures": "hours", "heure": "hour", "jours": "days", "jour": "day",
}  # fmt: skip
_SPAN = re.compile(rf"(?i)(?<=\d )(?:{'|'.join(sorted(_SPANS, key=len, reverse=True))})\b")


def words_of(text: str) -> Mapping[str, str]:
    """The labels of the language that a document is in, with what they mean; none for an English one."""
    found = [_folded(label["label"]) for label in _LABEL.finditer(text)]
    return next((words for words in (GERMAN, FRENCH) if sum(label in words for label in found) >= _LEAST), {})


def meant(key: str, words: Mapping[str, str]) -> str:
    """A label as rules know it."""
    return words.get(_folded(key), key)


def numbers_of(value: str, words: Mapping[str, str]) -> str:
    """A value with its numbers written as in English: `1.024 GB` is `1024 GB` in German, `7,68 To` is `7.68 TB` in French."""
    if not words:
        return value
    value = _GROUPED.sub(lambda found: re.sub(r"[.\s]", "", found[0]), value)
    value = _DECIMAL.sub(r"\1.\2", value)
    value = _SPAN.sub(lambda found: _SPANS[found[0].casefold()], value)
    return _OCTETS.sub(r"\1\2B", value) if words is FRENCH else value


def _folded(label: str) -> str:
    return label.strip().casefold().replace("\u2019", "'")
