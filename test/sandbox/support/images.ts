/** What the sandbox sees of a picture. */
export function base64(content: string): string {
  return Buffer.from(content).toString('base64');
}

/** An image as SDKs send it. */
export function image(subject: string, content = `a picture of ${subject}`) {
  return { image_subject: subject, format: 'image/jpeg', data: base64(content) };
}

export function scan(content = 'a barcode') {
  return { scan_type: 'pdf417', extracted_data: base64(content) };
}

export const FRONT = image('document_front');
export const BACK = image('document_back');
export const BARCODE = image('document_barcode');
export const SELFIE = image('selfie_front');
export const LIVENESS = ['left', 'front', 'right'].map((side) => image(`selfie_${side}`));
