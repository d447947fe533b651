/** @file
 * Registers of the STM32F405's USB OTG_FS in device mode, a Synopsys DWC2 with 1.25 KiB of packet
 * memory. Offsets from its base; names and bits as RM0090 rev 19, section 34.16, has them. Only
 * what the driver uses.
 */
#ifndef FIRMWARE_USB_OTG_FS_REGISTERS_H
#define FIRMWARE_USB_OTG_FS_REGISTERS_H

#define OTG_FS_BASE         0x50000000u
#define OTG_FS_N_ENDPOINT   4u   /* 0..3, each direction */
#define OTG_FS_PACKET_WORDS 320u /* packet memory, 32-bit words */

/* ---- global ---- */
#define OTG_GOTGINT    0x004u
#define OTG_GAHBCFG    0x008u
#define OTG_GUSBCFG    0x00cu
#define OTG_GRSTCTL    0x010u
#define OTG_GINTSTS    0x014u
#define OTG_GINTMSK    0x018u
#define OTG_GRXSTSP    0x020u
#define OTG_GRXFSIZ    0x024u
#define OTG_DIEPTXF0   0x028u
#define OTG_GCCFG      0x038u
#define OTG_DIEPTXF(n) (0x100u + 4u * (n)) /* n = 1..3 */

#define GOTGINT_SEDET (1u << 2) /* session end: VBUS went away */

#define GUSBCFG_PHYSEL     (1u << 6)
#define GUSBCFG_TRDT_SHIFT 10
#define GUSBCFG_FDMOD      (1u << 30) /* device whatever the ID pin says */

#define GRSTCTL_CSRST        (1u << 0)
#define GRSTCTL_RXFFLSH      (1u << 4)
#define GRSTCTL_TXFFLSH      (1u << 5)
#define GRSTCTL_TXFNUM_SHIFT 6
#define GRSTCTL_TXFNUM_ALL   0x10u
#define GRSTCTL_AHBIDL       (1u << 31)

#define GINTSTS_CMOD     (1u << 0) /* 1: host */
#define GINTSTS_OTGINT   (1u << 2)
#define GINTSTS_RXFLVL   (1u << 4)
#define GINTSTS_GONAKEFF (1u << 7)
#define GINTSTS_USBSUSP  (1u << 11)
#define GINTSTS_USBRST   (1u << 12)
#define GINTSTS_ENUMDNE  (1u << 13)
#define GINTSTS_IEPINT   (1u << 18)
#define GINTSTS_OEPINT   (1u << 19)
#define GINTSTS_WKUPINT  (1u << 31)

/* What waits at the head of the receive FIFO. */
#define GRXSTS_EPNUM(x)     ((x)&0xfu)
#define GRXSTS_BCNT(x)      ((x) >> 4 & 0x7ffu)
#define GRXSTS_PKTSTS(x)    ((x) >> 17 & 0xfu)
#define GRXSTS_GLOBAL_NAK   1u
#define GRXSTS_OUT_DATA     2u
#define GRXSTS_OUT_DONE     3u
#define GRXSTS_SETUP_DONE   4u
#define GRXSTS_SETUP_DATA   6u
#define GRXSTS_BCNT_SHIFT   4
#define GRXSTS_PKTSTS_SHIFT 17

#define GCCFG_PWRDWN     (1u << 16) /* 1: transceiver on */
#define GCCFG_VBUSBSEN   (1u << 19)
#define GCCFG_NOVBUSSENS (1u << 21)

/* ---- device ---- */
#define OTG_DCFG     0x800u
#define OTG_DCTL     0x804u
#define OTG_DSTS     0x808u
#define OTG_DIEPMSK  0x810u
#define OTG_DOEPMSK  0x814u
#define OTG_DAINT    0x818u /* low half IN, high half OUT */
#define OTG_DAINTMSK 0x81cu
#define OTG_PCGCCTL  0xe00u

#define DCFG_DSPD_FULL 3u
#define DCFG_DAD_SHIFT 4

#define DCTL_SDIS   (1u << 1) /* 1: no pull-up, the host sees nothing */
#define DCTL_GONSTS (1u << 3)
#define DCTL_CGINAK (1u << 8)
#define DCTL_SGONAK (1u << 9)
#define DCTL_CGONAK (1u << 10)

#define DSTS_SUSPSTS (1u << 0)

/* ---- endpoints: IN at 0x900, OUT at 0xb00, 0x20 apart ---- */
#define OTG_DIEPCTL(n)  (0x900u + 0x20u * (n))
#define OTG_DIEPINT(n)  (0x908u + 0x20u * (n))
#define OTG_DIEPTSIZ(n) (0x910u + 0x20u * (n))
#define OTG_DTXFSTS(n)  (0x918u + 0x20u * (n))
#define OTG_DOEPCTL(n)  (0xb00u + 0x20u * (n))
#define OTG_DOEPINT(n)  (0xb08u + 0x20u * (n))
#define OTG_DOEPTSIZ(n) (0xb10u + 0x20u * (n))

/* DIEPCTL and DOEPCTL. MPSIZ of endpoint 0 is a code: 0 means 64 bytes. */
#define EPCTL_USBAEP       (1u << 15)
#define EPCTL_NAKSTS       (1u << 17)
#define EPCTL_EPTYP_SHIFT  18
#define EPCTL_STALL        (1u << 21)
#define EPCTL_TXFNUM_SHIFT 22
#define EPCTL_CNAK         (1u << 26)
#define EPCTL_SNAK         (1u << 27)
#define EPCTL_SD0PID       (1u << 28)
#define EPCTL_EPDIS        (1u << 30)
#define EPCTL_EPENA        (1u << 31)

#define EPINT_XFRC     (1u << 0)
#define EPINT_EPDISD   (1u << 1)
#define DOEPINT_STUP   (1u << 3)
#define DIEPINT_INEPNE (1u << 6)
#define EPINT_ALL      0xffffu

#define EPTSIZ_PKTCNT_SHIFT     19
#define DOEPTSIZ0_STUPCNT_SHIFT 29

/* Writing any word of the window pushes into, reading pops from the FIFO. */
#define OTG_FIFO(n) (0x1000u * ((n) + 1u))

#endif
