import type { PostgresClient } from 'nestjs-berbix/postgres';

/** What is needed of a PrismaClient: its generated class has this method. */
interface PrismaQueries {
  $queryRawUnsafe<Rows = unknown>(text: string, ...values: unknown[]): PromiseLike<Rows>;
}

/** Where Prisma puts the SQLSTATE: from version 7 on, and before. */
interface PrismaFailure {
  meta?: { driverAdapterError?: { cause?: { originalCode?: string } }; code?: string };
}

/** Lets a PostgresTokenStore work over the connections of Prisma. */
export function overPrisma(prisma: PrismaQueries): PostgresClient {
  return {
    async query(text, values = []) {
      try {
        // "Unsafe" is a text put together by hand. These are constants of the store, with placeholders.
        return { rows: await prisma.$queryRawUnsafe<unknown[]>(text, ...values) };
      } catch (error) {
        const { meta } = error as PrismaFailure;
        const code = meta?.driverAdapterError?.cause?.originalCode ?? meta?.code;
        throw Object.assign(new Error('A query failed.'), { code });
      }
    },
  };
}
