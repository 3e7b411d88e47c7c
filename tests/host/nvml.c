/* A library of NVIDIA's management for a machine that has no such device: one divided A100 and one device that is lost. It has
   only some of the functions, as that of an old driver has. */
#include <stdio.h>
#include <string.h>

enum { OK = 0, INVALID = 2, NOT_SUPPORTED = 3, NOT_FOUND = 6, NO_DRIVER = 9, LOST = 15 };
typedef int *device;
static int first, part;

#ifdef WITHOUT_DRIVER
int nvmlInit_v2(void) { return NO_DRIVER; }
int nvmlInitWithFlags(unsigned flags) { (void)flags; return NO_DRIVER; }
#else
int nvmlInit_v2(void) { return OK; }
int nvmlInitWithFlags(unsigned flags) { (void)flags; return OK; }
#endif
int nvmlShutdown(void) { return OK; }
const char *nvmlErrorString(int code) { return code == LOST ? "GPU is lost" : "another error"; }
int nvmlSystemGetDriverVersion(char *text, unsigned size) { snprintf(text, size, "535.54.03"); return OK; }
int nvmlSystemGetCudaDriverVersion_v2(int *version) { *version = 12020; return OK; }
int nvmlDeviceGetCount_v2(unsigned *count) { *count = 2; return OK; }
int nvmlDeviceGetHandleByIndex_v2(unsigned index, device *handle) {
    *handle = &first;
    return index ? LOST : OK;
}
int nvmlDeviceGetName(device d, char *text, unsigned size) { (void)d; snprintf(text, size, "NVIDIA A100-SXM4-80GB"); return OK; }
int nvmlDeviceGetUUID(device d, char *text, unsigned size) { (void)d; snprintf(text, size, "GPU-1234"); return OK; }
int nvmlDeviceGetSerial(device d, char *text, unsigned size) { (void)d; (void)text; (void)size; return NOT_SUPPORTED; }
struct pci { char old[16]; unsigned domain, bus, device, id, subsystem; char text[32]; };
int nvmlDeviceGetPciInfo_v3(device d, struct pci *pci) {
    (void)d;
    memset(pci, 0, sizeof *pci);
    pci->id = 0x20B210DE;
    strcpy(pci->text, "00000000:C1:00.0");
    return OK;
}
struct memory { unsigned long long total, free, used; };
int nvmlDeviceGetMemoryInfo(device d, struct memory *memory) {
    memory->total = d == &part ? 19968ULL << 20 : 81920ULL << 20;
    memory->used = 87ULL << 20;
    memory->free = memory->total - memory->used;
    return OK;
}
int nvmlDeviceGetEccMode(device d, int *now, int *pending) { (void)d; *now = 1; *pending = 0; return OK; }
int nvmlDeviceGetPowerManagementLimit(device d, unsigned *limit) { (void)d; *limit = 400000; return OK; }
int nvmlDeviceGetPowerManagementLimitConstraints(device d, unsigned *low, unsigned *high) {
    (void)d;
    *low = 100000;
    *high = 400000;
    return OK;
}
int nvmlDeviceGetPowerUsage(device d, unsigned *milliwatts) { (void)d; *milliwatts = 66920; return OK; }
int nvmlDeviceGetFanSpeed(device d, unsigned *percent) { (void)d; (void)percent; return NOT_SUPPORTED; }
int nvmlDeviceGetArchitecture(device d, unsigned *number) { (void)d; *number = 7; return OK; }
int nvmlDeviceGetCudaComputeCapability(device d, int *major, int *minor) { (void)d; *major = 8; *minor = 0; return OK; }
int nvmlDeviceGetNumGpuCores(device d, unsigned *cores) { (void)d; *cores = 6912; return OK; }
int nvmlDeviceGetNvLinkState(device d, unsigned link, unsigned *active) {
    (void)d;
    *active = link != 11;
    return link < 12 ? OK : INVALID;
}
int nvmlDeviceGetMigMode(device d, unsigned *now, unsigned *pending) { (void)d; *now = *pending = 1; return OK; }
int nvmlDeviceGetMaxMigDeviceCount(device d, unsigned *count) { (void)d; *count = 7; return OK; }
int nvmlDeviceGetMigDeviceHandleByIndex(device d, unsigned index, device *handle) {
    (void)d;
    *handle = &part;
    return index ? NOT_FOUND : OK;
}
int nvmlDeviceGetGpuInstanceId(device d, unsigned *id) { (void)d; *id = 2; return OK; }
int nvmlDeviceGetComputeInstanceId(device d, unsigned *id) { (void)d; *id = 0; return OK; }
struct attributes { unsigned multiprocessors, others[7]; unsigned long long memory; };
int nvmlDeviceGetAttributes_v2(device d, struct attributes *found) {
    (void)d;
    memset(found, 0, sizeof *found);
    found->multiprocessors = 42;
    return OK;
}
