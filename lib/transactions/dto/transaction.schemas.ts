// The parts of a transaction that have no class, as @nestjs/swagger needs them.

const text = (description: string): object => ({ type: 'string', description });

/** The type `TransactionFieldDto`. */
export const FIELD_SCHEMA = {
  type: 'object',
  required: ['value', 'sources'],
  properties: {
    value: text('As printed, in capitals; dates as `YYYY-MM-DD`.'),
    confidence: text('How sure the API is.'),
    sources: {
      type: 'array',
      description: 'Where it was read.',
      items: {
        type: 'object',
        properties: {
          value: text('What was read there.'),
          type: text('The kind of the source.'),
          confidence: text('How sure the API is.'),
        },
      },
    },
  },
};

/** The type `TransactionImagesDto`. */
export const IMAGES_SCHEMA = {
  type: 'object',
  properties: {
    fullImage: text('The image as taken.'),
    croppedImage: text('Only the document.'),
    faceImage: text('Only the face.'),
  },
};

/** The type `TransactionDuplicateDto`. */
export const DUPLICATE_SCHEMA = {
  type: 'object',
  required: ['customerUid', 'transactionId'],
  properties: {
    customerUid: text('Your own id of the other user.'),
    transactionId: text('The digits of a 64-bit integer.'),
  },
};
