import { describe, expect, it } from '@jest/globals';
import { common } from './defects/common.js';
import { dotnet } from './defects/dotnet.js';
import { go } from './defects/go.js';
import { java } from './defects/java.js';
import { node } from './defects/node.js';
import { php } from './defects/php.js';
import { python } from './defects/python.js';
import { ruby } from './defects/ruby.js';
import { SDK_DEFECTS, type Row } from './sdk-defects.js';
import { quietNest } from '../support/sinks.js';

quietNest();

const PROOFS: [sdks: string, proofs: Record<string, () => Promise<void>>][] = [
  ['all official SDKs', common],
  ['the Node SDK', node],
  ['the Go SDK', go],
  ['the Python SDK', python],
  ['the Ruby SDK', ruby],
  ['the PHP SDK', php],
  ['the Java SDK', java],
  ['the .NET library', dotnet],
];

// For the Node SDK, each test shows the defect first.
describe.each(PROOFS)('a defect of %s that this package does not have:', (_sdks, proofs) => {
  it.each(
    Object.entries(proofs).map(([row, proof]) => ({ row, title: SDK_DEFECTS[row as Row], proof })),
  )('$row, $title', async ({ proof }) => {
    await proof();
    expect.hasAssertions();
  });
});

describe('the list of defects', () => {
  it('has a proof for each row', () => {
    const proven = PROOFS.flatMap(([, proofs]) => Object.keys(proofs));
    expect(proven.toSorted()).toEqual(Object.keys(SDK_DEFECTS).toSorted());
  });
});
