import { UPLOAD_STEPS } from '../../wire/index.js';
import { invalidRequest } from '../errors/api.exception.js';
import { type JsonObject, requiredList } from '../requests/fields.js';
import { requiredBase64 } from './base64.js';
import { requirePdf417 } from './pdf417.js';
import type { Upload } from './upload.js';

/** The body of `POST /v0/idscans/upload`: one scan. [doc: reference/idscans] [sdk: node] */
export function parseUploadIdScans(body: JsonObject): Upload {
  const [scan, ...more] = requiredList(body, 'id_scans');
  if (!scan || more.length > 0) throw invalidRequest('id_scans must have one element.');
  requirePdf417(scan, 'scan_type');
  return {
    step: UPLOAD_STEPS.barcode,
    isScan: true,
    contents: [requiredBase64(scan, 'extracted_data')],
  };
}
