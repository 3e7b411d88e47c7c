"""What NVIDIA's management library says of every device, in its own units.

Run as a program of its own, `python -m aya.host.nvml`, for a driver in trouble may never answer: then it is ended, and
nobody hangs. It prints one JSON object; a value that a device or an older driver does not have is left out.
"""

import ctypes
import json
import os
import sys
from collections.abc import Callable
from typing import Any

from aya.host.process import run
from aya.host.reading import Answer
from aya.model import Outcome

LIBRARY = "libnvidia-ml.so.1"
TIMEOUT_S = 20.0
NO_DRIVER = 3
"""The exit status where the library is there, and no driver is."""


def ask() -> Answer:
    """The answer of the library; absent where there is none, unsupported where the driver is not loaded."""
    try:
        ctypes.CDLL(LIBRARY)
    except OSError as error:
        return Answer(Outcome.ABSENT, reason=f"{LIBRARY}: {error}")
    paths = {name: value for name in ("LD_LIBRARY_PATH",) if (value := os.environ.get(name))}
    answer = run((sys.executable, "-P", "-m", "aya.host.nvml"), timeout_s=TIMEOUT_S, environment=paths)
    if answer.outcome is Outcome.OK:
        return answer
    outcome = Outcome.UNSUPPORTED if answer.exit_status == NO_DRIVER else answer.outcome
    return Answer(outcome, reason=f"nvml: {answer.errors.strip() or answer.reason}", broken_off=answer.broken_off)


def main() -> int:
    """Print what there is to know."""
    import pynvml

    try:
        pynvml.nvmlInit()
    except (pynvml.NVMLError_LibraryNotFound, pynvml.NVMLError_DriverNotLoaded) as error:
        print(error, file=sys.stderr)
        return NO_DRIVER
    except pynvml.NVMLError as error:
        print(error, file=sys.stderr)
        return 1
    try:
        print(json.dumps(everything(pynvml)))
    finally:
        pynvml.nvmlShutdown()
    return 0


class _Device:
    """Asks one device; remembers what went wrong, which is not the same as what it does not have."""

    def __init__(self, nvml: Any, handle: Any = None) -> None:
        self._nvml = nvml
        self._handle = handle
        self.errors: dict[str, str] = {}

    def ask(self, name: str, *arguments: Any) -> Any:
        """The answer of `nvmlDeviceGet…` by the rest of its name; None where the device has no such thing."""
        function: Callable[..., Any] = getattr(self._nvml, f"nvmlDeviceGet{name}")
        try:
            answer = function(*(() if self._handle is None else (self._handle,)), *arguments)
        except (
            self._nvml.NVMLError_NotSupported,
            self._nvml.NVMLError_NotFound,
            self._nvml.NVMLError_FunctionNotFound,
            self._nvml.NVMLError_InvalidArgument,
        ):
            return None
        except self._nvml.NVMLError as error:
            self.errors[name] = str(error)
            return None
        return answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer


def everything(nvml: Any) -> dict[str, Any]:
    """Driver, CUDA and every device, as JSON can say it. `nvml` is the module `pynvml`."""
    system = {}
    for name in ("DriverVersion", "CudaDriverVersion_v2"):
        try:
            system[name] = getattr(nvml, f"nvmlSystemGet{name}")()
        except nvml.NVMLError:
            continue
    devices = []
    for index in range(nvml.nvmlDeviceGetCount()):
        finder = _Device(nvml)
        handle = finder.ask("HandleByIndex", index)
        devices.append(_device(nvml, handle) if handle is not None else {"errors": finder.errors})
    return {**system, "devices": devices}


def _device(nvml: Any, handle: Any) -> dict[str, Any]:
    device = _Device(nvml, handle)
    ask = device.ask
    plain = (
        "Name UUID Serial VbiosVersion BoardPartNumber MinorNumber MultiGpuBoard PersistenceMode ComputeMode Architecture "
        "CudaComputeCapability NumGpuCores EccMode MigMode PowerManagementLimit PowerManagementDefaultLimit "
        "PowerManagementLimitConstraints MaxPcieLinkGeneration MaxPcieLinkWidth VirtualizationMode PowerUsage FanSpeed"
    )
    found: dict[str, Any] = {name: ask(name) for name in plain.split()}
    found["Temperature"] = ask("Temperature", nvml.NVML_TEMPERATURE_GPU)
    for clock in ("SM", "MEM"):
        kind = getattr(nvml, f"NVML_CLOCK_{clock}")
        found[f"MaxClock{clock}"], found[f"Clock{clock}"] = ask("MaxClockInfo", kind), ask("ClockInfo", kind)
    for kind, number in {"Corrected": 0, "Uncorrected": 1}.items():
        found[f"Ecc{kind}"] = ask("TotalEccErrors", number, nvml.NVML_AGGREGATE_ECC)
    if (pci := ask("PciInfo")) is not None:
        found |= {"PciBusId": _text(pci.busId), "PciDeviceId": int(pci.pciDeviceId)}
    if (memory := ask("MemoryInfo")) is not None:
        found |= {"MemoryTotal": int(memory.total), "MemoryUsed": int(memory.used)}
    if (use := ask("UtilizationRates")) is not None:
        found |= {"UtilizationGpu": int(use.gpu), "UtilizationMemory": int(use.memory)}
    found["NvLinks"] = [ask("NvLinkState", link) for link in range(nvml.NVML_NVLINK_MAX_LINKS)]
    found["MigDevices"] = [
        _part(nvml, part)
        for index in range(ask("MaxMigDeviceCount") or 0)
        if (part := ask("MigDeviceHandleByIndex", index)) is not None
    ]
    return {name: value for name, value in found.items() if value is not None} | {"errors": device.errors}


def _part(nvml: Any, handle: Any) -> dict[str, Any]:
    part = _Device(nvml, handle)
    memory, attributes = part.ask("MemoryInfo"), part.ask("Attributes")
    return {
        "GpuInstanceId": part.ask("GpuInstanceId"),
        "ComputeInstanceId": part.ask("ComputeInstanceId"),
        "MemoryTotal": int(memory.total) if memory is not None else None,
        "MultiprocessorCount": int(attributes.multiprocessorCount) if attributes is not None else None,
    }


def _text(value: bytes | str) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


if __name__ == "__main__":
    sys.exit(main())
