// What can go wrong with an image, told apart where a caller acts on the difference.

export type ImageErrorCode =
  | 'REFERENCE' // the text does not name an image
  | 'NOT_FOUND' // no such archive, tag, platform or stored image
  | 'REJECTED' // the content breaks a rule of the image format or a limit of ours
  | 'IN_USE' // a container stands on it
  | 'STORE' // the store cannot be used or written
  | 'UNSUPPORTED'; // this kernel or user cannot do it

/** One sentence: what was attempted, on what, why it cannot be. The kernel's refusal, if any, is the `cause`. */
export class ImageError extends Error {
  readonly code: ImageErrorCode;

  constructor(code: ImageErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ImageError';
    this.code = code;
  }
}
