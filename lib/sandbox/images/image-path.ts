/** Where the images are: a name follows. */
export const IMAGES_ROOT = '/images';

const IMAGE_PATH = new RegExp(`^${IMAGES_ROOT}/[^/]+$`);

/** Whether the path is one of an image. */
export function isImagePath(path: string): boolean {
  return IMAGE_PATH.test(path);
}
