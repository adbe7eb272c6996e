import { type IdType, UPLOAD_STEPS, type UploadStep } from '../../wire/index.js';
import type { ApiOnlyDocument, ApiOnlySelfie } from '../sandbox.options.js';

/** What the API-only template wants. */
export interface ApiOnlyTemplate {
  document: ApiOnlyDocument;
  selfie: ApiOnlySelfie;
}

/**
 * The uploads that a new API-only transaction waits for: the document, and then the selfie if the
 * template wants one. [doc: reference/uploadimages]
 */
export function planUploads(template: ApiOnlyTemplate, idType?: IdType): UploadStep[] {
  const document =
    template.document === 'photo' ? planPhotos(idType) : ([UPLOAD_STEPS.barcode] as const);
  return [...document, ...planSelfie(template.selfie)];
}

/**
 * A passport has one side with data on it, cards have two. [sdk: go@experimental]
 * ASSUMPTION: two where nobody said which document it is.
 */
export function planPhotos(idType?: IdType): UploadStep[] {
  return idType === 'P' ? [UPLOAD_STEPS.front] : [UPLOAD_STEPS.front, UPLOAD_STEPS.back];
}

function planSelfie(selfie: ApiOnlySelfie): UploadStep[] {
  if (selfie === 'none') return [];
  return [selfie === 'basic' ? UPLOAD_STEPS.selfie : UPLOAD_STEPS.liveness];
}
