// A PrismaClient without models, as `prisma generate` makes it. The generator downloads an engine, so
// this has its output: the names are those of the runtime of the version in package.json.
import { PrismaPg } from '@prisma/adapter-pg';
import { getPrismaClient } from '@prisma/client/runtime/client';
import * as compiler from '@prisma/client/runtime/query_compiler_fast_bg.postgresql.mjs';
import { wasm } from '@prisma/client/runtime/query_compiler_fast_bg.postgresql.wasm-base64.mjs';

const GeneratedClient = getPrismaClient({
  clientVersion: '7.10.0',
  engineVersion: '7.10.0',
  activeProvider: 'postgresql',
  previewFeatures: [],
  inlineSchema: 'datasource db {\n  provider = "postgresql"\n}\n',
  runtimeDataModel: { models: {}, enums: {}, types: {} },
  // No models, so an empty graph of their parameters.
  parameterizationSchema: { strings: [], graph: Buffer.alloc(64).toString('base64') },
  compilerWasm: {
    getRuntime: async () => compiler,
    getQueryCompilerWasmModule: async () => new WebAssembly.Module(Buffer.from(wasm, 'base64')),
    importName: './query_compiler_fast_bg.js',
  },
});

export function prismaClient(connectionString) {
  return new GeneratedClient({ adapter: new PrismaPg({ connectionString }) });
}
