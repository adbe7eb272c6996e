// Prints the section of CHANGELOG.md for a tag: node scripts/release-notes.mjs v1.2.3
//
// Fails if the tag is not that of the version in package.json, if the changelog has no such section,
// or if package.json does not name its repository, which npm compares with the provenance.
import { readFileSync } from 'node:fs';

const [tag = ''] = process.argv.slice(2);
const { version, repository } = JSON.parse(readFileSync('package.json', 'utf8'));
if (tag !== `v${version}`) {
  fail(`The tag is "${tag}", but package.json has the version ${version}: it must be v${version}.`);
}
if (repository === undefined) {
  fail('package.json has no "repository": npm refuses the provenance of a package without it.');
}
const sections = readFileSync('CHANGELOG.md', 'utf8').split(/^## /m);
const section = sections.find((text) => text.startsWith(`[${version}]`));
if (section === undefined) {
  fail(
    `CHANGELOG.md has no section "## [${version}]": rename "## [Unreleased]", and add its date.`,
  );
}
console.log(section.slice(section.indexOf('\n')).trim());

function fail(message) {
  console.error(message);
  process.exit(1);
}
