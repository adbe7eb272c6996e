/** What an upload wants to be found in it. */
export interface Wishes {
  /** Make the upload fail. The first is the most important one. */
  readonly issues: readonly string[];
  /** Become flags of the result. */
  readonly flags: readonly string[];
}

const WISH = /^(issue|flag):([a-z0-9_]+(?:,[a-z0-9_]+)*)/;
/** Far more than names can fill. */
const LONGEST_WISH = 1000;

/**
 * What the sandbox shall find in an upload: nobody looks at the picture, but its bytes may begin with
 * a wish, `issue:` or `flag:` and names with commas between them.
 *
 * @example
 * wishesOf([Buffer.from('issue:text_unreadable')]) // the photo has to be taken again
 * wishesOf([Buffer.from('flag:id_expired,id_under_21')]) // the photo is fine, the result has two flags
 */
export function wishesOf(contents: readonly Buffer[]): Wishes {
  const wishes = contents.map(wishOf);
  const names = (kind: string) =>
    wishes.flatMap((wish) => (wish?.[1] === kind ? (wish[2]?.split(',') ?? []) : []));
  return { issues: names('issue'), flags: names('flag') };
}

function wishOf(content: Buffer): RegExpExecArray | null {
  return WISH.exec(content.subarray(0, LONGEST_WISH).toString('latin1'));
}
