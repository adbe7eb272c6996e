import { UPLOAD_STEPS } from '../../wire/index.js';
import type { ApiJson } from '../api-json.js';
import type { UploadOutcome } from './upload-flow.js';

/** The answer to both uploads. [doc: reference/uploadimages] [sdk: node, go@experimental] */
export function presentUpload({ transaction, issues }: UploadOutcome): ApiJson {
  const [nextStep = UPLOAD_STEPS.done] =
    transaction.state.status === 'open' ? transaction.state.steps : [];
  return {
    issues,
    issue_details: issues.includes('unsupported_id_type')
      ? // ASSUMPTION: the one unsupported page that anybody shows of a passport is one with a visa.
        { unsupported_id_type: { visa_page_of_passport: transaction.idType === 'P' } }
      : {},
    next_step: nextStep,
  };
}
