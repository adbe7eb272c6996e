import type { UploadStep } from '../../wire/index.js';

/** An upload that is what it says: what is in it fits together, and its content could be decoded. */
export interface Upload {
  /** The step that takes it. */
  readonly step: UploadStep;
  /** Read by a scanner, and no photo. */
  readonly isScan: boolean;
  /** Its images, and its barcodes that were read before; the first is of the document or the face. */
  readonly contents: readonly Buffer[];
}
