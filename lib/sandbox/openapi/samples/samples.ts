import type { CodeSample, OpenApiDocument, ReferenceValues } from '../model.js';
import { CURL } from './curl.js';
import { GO } from './go.js';
import { JAVA } from './java.js';
import type { Language, Route } from './language.js';
import { NESTJS } from './nestjs.js';
import { NODE } from './node.js';
import { PHP } from './php.js';
import { PYTHON } from './python.js';
import { RUBY } from './ruby.js';

/** In the order of their tabs. */
const LANGUAGES: readonly Language[] = [CURL, NODE, PHP, PYTHON, RUBY, JAVA, GO, NESTJS];

/** The operations, each with its samples. */
export function withSamples<Paths extends OpenApiDocument['paths']>(
  paths: Paths,
  values: ReferenceValues,
): Paths {
  const entries = Object.entries(paths).map(([path, operations]) => {
    const sampled = Object.entries(operations).map(([method, operation]) => {
      const samples = samplesOf({ method, path, operation }, values);
      return [method, { ...operation, 'x-codeSamples': samples }] as const;
    });
    return [path, Object.fromEntries(sampled)] as const;
  });
  return Object.fromEntries(entries) as Paths;
}

/** One in every language whose SDK has the operation. */
function samplesOf(route: Route, values: ReferenceValues): CodeSample[] {
  return LANGUAGES.flatMap(({ lang, label, sampleOf }) => {
    const source = sampleOf(route, values);
    return source === undefined ? [] : { lang, label, source };
  });
}
