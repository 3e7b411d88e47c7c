"""The labels of `lscpu` in the languages that its translators and the writers of recordings use, as the English ones."""

import re
from collections.abc import Iterator
from unicodedata import east_asian_width

LABELS = {
    # English, before version 2.20
    "CPU socket(s)": "Socket(s)",
    # German
    "Architektur": "Architecture",
    "Liste der Online-CPU(s)": "On-line CPU(s) list",
    "Thread(s) pro Kern": "Thread(s) per core",
    "Kern(e) pro Socket": "Core(s) per socket",
    "Kern(e) pro Sockel": "Core(s) per socket",
    "Kern(e) pro Cluster": "Core(s) per cluster",
    "Sockel": "Socket(s)",
    "NUMA-Knoten": "NUMA node(s)",
    "Anbieterkennung": "Vendor ID",
    "Prozessorfamilie": "CPU family",
    "Modell": "Model",
    "Modellname": "Model name",
    "Maximale Taktfrequenz der CPU": "CPU max MHz",
    "Minimale Taktfrequenz der CPU": "CPU min MHz",
    "Markierungen": "Flags",
    # French
    "Processeur(s)": "CPU(s)",
    "Liste de processeur(s) en ligne": "On-line CPU(s) list",
    "Thread(s) par cœur": "Thread(s) per core",
    "Cœur(s) par socket": "Core(s) per socket",
    "Nœud(s) NUMA": "NUMA node(s)",
    "Identifiant constructeur": "Vendor ID",
    "Famille de processeur": "CPU family",
    "Modèle": "Model",
    "Nom de modèle": "Model name",
    "Révision": "Stepping",
    "Vitesse maximale du processeur en MHz": "CPU max MHz",
    "Vitesse minimale du processeur en MHz": "CPU min MHz",
    "Drapaux": "Flags",
    "Drapeaux": "Flags",
    # Spanish
    "Arquitectura": "Architecture",
    "Lista de la(s) CPU(s) en línea": "On-line CPU(s) list",
    "Hilo(s) de procesamiento por núcleo": "Thread(s) per core",
    "Núcleo(s) por «socket»": "Core(s) per socket",
    "«Socket(s)»": "Socket(s)",
    "Modo(s) NUMA": "NUMA node(s)",
    "ID de fabricante": "Vendor ID",
    "Familia de CPU": "CPU family",
    "Modelo": "Model",
    "Nombre del modelo": "Model name",
    "Revisión": "Stepping",
    "CPU MHz máx.": "CPU max MHz",
    "CPU MHz mín.": "CPU min MHz",
    "Indicadores": "Flags",
    # Portuguese, where it differs
    "Arquitetura": "Architecture",
    "Lista de CPU(s) on-line": "On-line CPU(s) list",
    "Thread(s) per núcleo": "Thread(s) per core",
    "Núcleo(s) por soquete": "Core(s) per socket",
    "Soquete(s)": "Socket(s)",
    "Nó(s) de NUMA": "NUMA node(s)",
    "ID de fornecedor": "Vendor ID",
    "Família da CPU": "CPU family",
    "Nome do modelo": "Model name",
    "Step": "Stepping",
    "Opções": "Flags",
    # Russian
    "Архитектура": "Architecture",
    "Потоков на ядро": "Thread(s) per core",
    "Ядер на сокет": "Core(s) per socket",
    "Сокетов": "Socket(s)",
    "ID прроизводителя": "Vendor ID",
    "ID производителя": "Vendor ID",
    "Семейство ЦПУ": "CPU family",
    "Модель": "Model",
    "Имя модели": "Model name",
    "Степпинг": "Stepping",
    "Флаги": "Flags",
    # Chinese
    "架构": "Architecture",
    "CPU": "CPU(s)",
    "在线 CPU 列表": "On-line CPU(s) list",
    "每个核的线程数": "Thread(s) per core",
    "每个座的核数": "Core(s) per socket",
    "座": "Socket(s)",
    "NUMA 节点": "NUMA node(s)",
    "厂商 ID": "Vendor ID",
    "CPU 系列": "CPU family",
    "型号": "Model",
    "型号名称": "Model name",
    "步进": "Stepping",
    "CPU 最大 MHz": "CPU max MHz",
    "CPU 最小 MHz": "CPU min MHz",
    "标记": "Flags",
    # Japanese
    "アーキテクチャ": "Architecture",
    "オンラインになっている CPU のリスト": "On-line CPU(s) list",
    "コアあたりのスレッド数": "Thread(s) per core",
    "ソケットあたりのコア数": "Core(s) per socket",
    "ソケット数": "Socket(s)",
    "NUMAノード": "NUMA node(s)",
    "ベンダーID": "Vendor ID",
    "ベンダー ID": "Vendor ID",
    "CPUファミリー": "CPU family",
    "CPU ファミリー": "CPU family",
    "モデル": "Model",
    "モデル名": "Model name",
    "ステッピング": "Stepping",
    "フラグ": "Flags",
}

WEAKNESSES = {"Vulnerabilities", "Schwachstellen", "Vulnérabilités", "Vulnerabilidades"}
"""The heading above the known weaknesses, which else begin with the word."""

CACHE = re.compile(r"(?:[Cc]ach[eé] (?:de )?)?(L\d[di]?)(?: ?(?:[Cc]ache|缓存|キャッシュ))?")
NODE = re.compile(
    r"(?:NUMA node|NUMA-Knoten|Nœud NUMA ?|CPU\(s\) del nodo NUMA |CPU\(s\) de nó|NUMA 节点|NUMAノード )(\d+)"
    r"(?: CPU\(s\)| de processeur\(s\)| CPU| NUMA)?"
)
NARROWEST_COLUMN = 16
"""No version of `lscpu` puts its values further left."""


def label(text: str) -> str:
    """The label as English systems print it. French ones put a blank that does not break before the colon."""
    plain = " ".join(text.split()).rstrip(" :：")
    if cache := CACHE.fullmatch(plain):
        return f"{cache[1]} cache"
    if node := NODE.fullmatch(plain):
        return f"NUMA node{node[1]} CPU(s)"
    return LABELS.get(plain, plain)


def labelled(text: str) -> Iterator[tuple[str, str]]:
    """The lines of a text, each label as it is printed; what a narrow terminal wrapped is put together again."""
    pair: tuple[str, str] | None = None
    column = 0
    for line in text.splitlines():
        if pair and column >= NARROWEST_COLUMN and line[:column].isspace() and len(line) > column:
            pair = pair[0], pair[1] + line[column:]
            continue
        if pair:
            yield pair
        # Some translations forgot the colon.
        parts = re.fullmatch(r"([^:：]+[:：])(\s*)(.*)", line) or re.fullmatch(r"(\S.*?)(\s{2,})(.*)", line)
        known = parts and (parts[1][-1] in ":：" or label(parts[1]) != parts[1])
        pair = (parts[1], parts[3]) if parts and known else None
        column = _width(parts[1] + parts[2]) if parts and parts[3] else 0
    if pair:
        yield pair


def _width(text: str) -> int:
    """How many columns of a terminal it fills."""
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text)
