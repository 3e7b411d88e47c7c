"""Models of the hub (Hugging Face): fetched once into AYA's own folder, then read from there.

A hub that cannot be reached is asked again after an hour, not by each command anew.
"""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fnmatch import fnmatch
from pathlib import Path
from threading import Event, Thread

from aya.embedding.files import ModelFiles, read_folder
from aya.errors import ModelUnusable

LOOK_S = 3.0
"""How long the hub may take to say that it has the model."""
ASK_AGAIN_S = 3600.0
TELL_EVERY_S = 1.0
FILES = ["onnx/model.onnx*", "tokenizer.json", "*config*.json", "1_Pooling/config.json", "modules.json"]


def fetched(name: str, models: Path, progress: Callable[[str], None] = lambda _: None) -> ModelFiles:
    """The model's files: those that were fetched before, else fetched now into the folder `models`.

    Raises ModelUnusable when they are not there and the hub cannot be reached, or breaks off: what came is kept, and it
    goes on from there the next time.
    """
    from huggingface_hub import HfApi, snapshot_download
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils.tqdm import disable_progress_bars

    disable_progress_bars()
    here = _kept(name, models)
    if here is not None:
        return here
    _refuse_if_just_failed(name, models)
    try:
        progress(f"asking the hub for {name}")
        said = HfApi().model_info(name, timeout=LOOK_S, files_metadata=True)
        wanted = [one for one in said.siblings or () if any(fnmatch(one.rfilename, pattern) for pattern in FILES)]
        size_bytes = sum(one.size or 0 for one in wanted)
        with _telling(name, _place(name, models) / "blobs", size_bytes, progress):
            fetched_to = snapshot_download(
                name, revision=said.sha, cache_dir=models, allow_patterns=FILES, etag_timeout=LOOK_S
            )
        folder = Path(fetched_to)
        found = read_folder(folder, name, folder.name)
        _note(models, name, {"name": name, "revision": folder.name})
    except ModelUnusable:
        raise
    except HFValidationError as error:
        raise ModelUnusable(
            f"{name} is no name of a model.", remedy="Name one as the hub does, OWNER/MODEL, or the path of a folder."
        ) from error
    except Exception as error:  # of networks, disks and its own: its errors have nothing else in common
        reason = " ".join(str(error).split())[:300] or type(error).__name__
        _note(models, name, {"failed_at": time.time(), "said": reason})
        raise ModelUnusable(f"{name} could not be fetched from the hub: {reason}", remedy=_remedy(models)) from error
    return found


def kept(models: Path) -> list[ModelFiles]:
    """The models that were fetched whole. Raises ModelUnusable when one was broken since."""
    names = [_read(path).get("name") for path in sorted(models.glob("*.json"))]
    found = [_kept(name, models) for name in names if isinstance(name, str)]
    return [one for one in found if one is not None]


def _kept(name: str, models: Path) -> ModelFiles | None:
    """What was fetched whole before."""
    revision = _notes(models, name).get("revision")
    if not isinstance(revision, str):
        return None
    folder = _place(name, models) / "snapshots" / revision
    return read_folder(folder, name, revision) if folder.is_dir() else None


def _place(name: str, models: Path) -> Path:
    """Where the hub's library puts a model."""
    return models / f"models--{name.replace('/', '--')}"


@contextmanager
def _telling(name: str, blobs: Path, size_bytes: int, progress: Callable[[str], None]) -> Iterator[None]:
    """Meanwhile tell how much has come."""
    ended = Event()

    def tell() -> None:
        while not ended.wait(TELL_EVERY_S):
            try:
                here = sum(entry.stat().st_size for entry in blobs.iterdir())
            except OSError:
                continue  # not there yet, or just renamed
            progress(f"fetching {name} from the hub, once: {here / 1e6:,.0f} of {size_bytes / 1e6:,.0f} MB")

    progress(f"fetching {name} from the hub, once: {size_bytes / 1e6:,.0f} MB")
    teller = Thread(target=tell, name="aya-telling", daemon=True)
    teller.start()
    try:
        yield
    finally:
        ended.set()
        teller.join()


def _refuse_if_just_failed(name: str, models: Path) -> None:
    notes = _notes(models, name)
    failed_at = notes.get("failed_at")
    if isinstance(failed_at, int | float) and 0 <= time.time() - failed_at < ASK_AGAIN_S:
        minutes = int((time.time() - failed_at) / 60)
        raise ModelUnusable(
            f"{name} could not be fetched from the hub {minutes} minutes ago: {notes.get('said')}",
            remedy=_remedy(models),
        )


def _remedy(models: Path) -> str:
    return f"Put the model into a folder and name its path; the hub is asked again after an hour, or once {models} has no notes."


def _notes(models: Path, name: str) -> dict[str, object]:
    return _read(_notes_file(models, name))


def _read(path: Path) -> dict[str, object]:
    try:
        said = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}  # there is none, or none that can be read: the hub is asked
    return said if isinstance(said, dict) else {}


def _note(models: Path, name: str, said: dict[str, object]) -> None:
    try:
        models.mkdir(parents=True, exist_ok=True)
        _notes_file(models, name).write_text(json.dumps(said), "utf-8")
    except OSError as error:
        raise ModelUnusable(
            f"{models} cannot be written to: {error.strerror}.", remedy="Models are kept there; let it be written."
        ) from error


def _notes_file(models: Path, name: str) -> Path:
    return models / f"{name.replace('/', '--')}.json"
