/** The versions of the runtime-spec that hull reads; what it writes is the newest. */

export const OCI_VERSION_MIN = '1.0.0';
export const OCI_VERSION_MAX = '1.3.0';
