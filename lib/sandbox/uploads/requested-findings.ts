/** What is found in an upload. */
export interface Findings {
  /** Make the upload fail. The first is the most important one. */
  readonly issues: readonly string[];
  /** Become flags of the result. */
  readonly flags: readonly string[];
}

const REQUEST = /^(issue|flag):([a-z0-9_]+(?:,[a-z0-9_]+)*)/;
/** Far more than names can fill. */
const LONGEST_REQUEST = 1000;

/**
 * What the sandbox shall find in an upload: nobody looks at the picture, but its bytes may begin with
 * what is requested, `issue:` or `flag:` and names with commas between them.
 *
 * @example
 * requestedFindings([Buffer.from('issue:text_unreadable')]) // the photo has to be taken again
 * requestedFindings([Buffer.from('flag:id_expired,id_under_21')]) // it is fine, the result has two flags
 */
export function requestedFindings(contents: readonly Buffer[]): Findings {
  const requests = contents.map(requestIn);
  const names = (kind: string) =>
    requests.flatMap((request) => (request?.[1] === kind ? (request[2]?.split(',') ?? []) : []));
  return { issues: names('issue'), flags: names('flag') };
}

function requestIn(content: Buffer): RegExpExecArray | null {
  return REQUEST.exec(content.subarray(0, LONGEST_REQUEST).toString('latin1'));
}
