import { compareByTokens } from '../../errors/index.js';
import type { BerbixTokens } from '../../values/index.js';
import type { WireReader } from '../../wire/index.js';

/** The result of an upload. [doc: reference/uploadimages] */
export class UploadResultDto {
  /**
   * The next upload, such as `upload_document_back`; the same again after a problem; `done` at the
   * end.
   */
  nextStep!: string;
  /** Problems, the most important first, such as `text_unreadable`; empty if there are none. */
  issues!: string[];
  /** More about the issue `unsupported_id_type`. */
  issueDetails!: {
    /** Whether it is a page of a passport with a visa. */
    visaPageOfPassport?: boolean | undefined;
  };

  #tokens!: BerbixTokens;

  /** The tokens to use and store from now on; not part of the JSON. */
  get tokens(): BerbixTokens {
    return this.#tokens;
  }

  /** From the API's answer; its mistakes are in `reader.problems`. @internal */
  static fromWire(reader: WireReader, tokens: BerbixTokens): UploadResultDto {
    const unsupported = reader.within('issue_details').within('unsupported_id_type');
    const dto = Object.assign(new UploadResultDto(), {
      nextStep: reader.required('next_step'),
      issues: reader.strings('issues'),
      issueDetails: { visaPageOfPassport: unsupported.boolean('visa_page_of_passport') },
    });
    dto.#tokens = tokens;
    compareByTokens(dto);
    return dto;
  }

  /** Read by `@nestjs/swagger`, which cannot see into packages. @internal */
  static _OPENAPI_METADATA_FACTORY(): Record<string, object> {
    return {
      nextStep: {
        required: true,
        type: () => String,
        description:
          'The next upload, such as `upload_document_back`; the same again after a problem; `done` at the end.',
      },
      issues: {
        required: true,
        type: () => [String],
        description:
          'Problems, the most important first, such as `text_unreadable`; empty if there are none.',
      },
      issueDetails: {
        required: true,
        type: 'object',
        properties: {
          visaPageOfPassport: {
            type: 'boolean',
            description: 'Whether it is a page of a passport with a visa.',
          },
        },
        description: 'More about the issue `unsupported_id_type`.',
      },
    };
  }
}
