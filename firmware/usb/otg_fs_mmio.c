/* The only file of the driver that knows an address. */
#include "firmware/usb/otg_fs.h"

static uint32_t mmio_read(void *bus, uint32_t offset) {
    (void)bus;
    return *(volatile uint32_t *)(uintptr_t)(OTG_FS_BASE + offset);
}

static void mmio_write(void *bus, uint32_t offset, uint32_t value) {
    (void)bus;
    *(volatile uint32_t *)(uintptr_t)(OTG_FS_BASE + offset) = value;
}

struct otg_fs_access otg_fs_mmio(void) {
    return (struct otg_fs_access){.read32 = mmio_read, .write32 = mmio_write};
}
