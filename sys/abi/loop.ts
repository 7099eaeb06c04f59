// Loop devices: linux/loop.h.
import { struct, u32, u64 } from './struct.ts';

export const LOOP_CONFIGURE = 0x4c0a;
export const LOOP_CTL_GET_FREE = 0x4c82;
export const LO_FLAGS_READ_ONLY = 1;
/** The kernel detaches the file when the device's last user is gone, also when that user was killed. */
export const LO_FLAGS_AUTOCLEAR = 4;

/** The start of struct loop_config, up to the `lo_flags` of its struct loop_info64; the rest stays zero. */
export const loop_config_head = struct('loop_config_head', 64, {
  fd: u32,
  block_size: u32,
  lo_device: u64,
  lo_inode: u64,
  lo_rdevice: u64,
  lo_offset: u64,
  lo_sizelimit: u64,
  lo_number: u32,
  lo_encrypt_type: u32,
  lo_encrypt_key_size: u32,
  lo_flags: u32,
});

/** sizeof(struct loop_config), Linux 5.8. */
export const LOOP_CONFIG_BYTES = 304;
