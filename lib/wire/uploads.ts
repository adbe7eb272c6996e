/** The body of `POST /v0/images/upload`, with the client token. [doc: reference/uploadimages] */
export interface UploadImagesRequest {
  images: UploadImage[];
}

/** [sdk: node, java] */
export interface UploadImage {
  image_subject: ImageSubject;
  format?: ImageFormat;
  /** base64 */
  data: string;
  supplementary_data?: { extracted_barcode: ExtractedBarcode };
}

/** A barcode that the caller has already read. [sdk: node, java] */
export interface ExtractedBarcode {
  barcode_type: 'pdf417';
  /** base64 */
  extracted_data: string;
}

/** [sdk: node, java] */
export const IMAGE_SUBJECTS = [
  'document_front',
  'document_back',
  'document_barcode',
  'selfie_front',
  'selfie_left',
  'selfie_right',
] as const;
/** The subject of an image: a side of the ID, its barcode, or one side of the face. */
export type ImageSubject = (typeof IMAGE_SUBJECTS)[number];

/** [sdk: node, java] */
export const IMAGE_FORMATS = ['image/jpeg', 'image/jpg', 'image/png'] as const;
/** The media type of an image. */
export type ImageFormat = (typeof IMAGE_FORMATS)[number];

/**
 * The body of `POST /v0/idscans/upload`, with the client token; one element.
 * [doc: reference/idscans]
 */
export interface UploadIdScansRequest {
  id_scans: { scan_type: 'pdf417'; extracted_data: string }[];
}

/** The answer of both uploads. [doc: reference/uploadimages] [sdk: node, go@experimental] */
export interface UploadAnswer {
  /** The most important first; may be absent. [sdk: node] */
  issues?: string[];
  issue_details?: { unsupported_id_type?: { visa_page_of_passport?: boolean } };
  next_step: string;
}

/** Known problems of uploads; an open vocabulary. [doc: reference/uploadimages] */
export const UPLOAD_ISSUES = [
  'bad_upload',
  'text_unreadable',
  'no_face_on_id_detected',
  'incomplete_barcode_detected',
  'unsupported_id_type',
  'bad_selfie',
] as const;

/**
 * The steps of an API-only transaction. [doc: reference/uploadimages]
 * ASSUMPTION: the name of the step for templates that expect only the barcode.
 */
export const UPLOAD_STEPS = {
  front: 'upload_document_front',
  back: 'upload_document_back',
  barcode: 'upload_document_barcode',
  selfie: 'upload_selfie_basic',
  liveness: 'upload_selfie_liveness',
  done: 'done',
} as const;
/** A step, by the API's name. */
export type UploadStep = (typeof UPLOAD_STEPS)[keyof typeof UPLOAD_STEPS];

/** Limit of the body in bytes: the later of two documented limits. [doc: reference/uploadimages] */
export const MAX_UPLOAD_BYTES = 20 * 1024 * 1024;
