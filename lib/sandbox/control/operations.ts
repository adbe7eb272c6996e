import { RequestMethod } from '@nestjs/common';
import { HTTP_CODE_METADATA, METHOD_METADATA, PATH_METADATA } from '@nestjs/common/constants.js';
import type { Refusal } from '../http/api-exception.js';

const DESCRIPTION = Symbol('control operation');
const QUERY = Symbol('query of a control operation');
const REFUSALS = Symbol('refusals of a control operation');
const SECRETS = Symbol('control operation that redacts secrets');

/** What each parameter of a query means, by its name. */
type QueryParameters = Readonly<Record<string, string>>;

/** What {@link Describe} says of a handler. */
interface Description {
  readonly does: string;
  /** Bodies that the operation accepts; none if it takes no body. */
  readonly bodies: readonly object[];
}

/** An operation of the control API. */
export interface ControlOperation extends Description {
  /** In capitals. */
  readonly method: string;
  /** With its parameters in braces. */
  readonly path: string;
  readonly query: QueryParameters;
  /** Those that do not follow from its path and its body. */
  readonly refusals: readonly Refusal[];
  /** The status of success. */
  readonly status: number;
}

/** Describes a handler of the control API for the list at `/sandbox` and the OpenAPI document. */
export function Describe(does: string, ...bodies: readonly object[]): MethodDecorator {
  return (_target, _name, { value }) => {
    const description: Description = { does, bodies };
    Reflect.defineMetadata(DESCRIPTION, description, value as object);
  };
}

/** Describes the optional parameters of the query, for the OpenAPI document. */
export function DescribeQuery(query: QueryParameters): MethodDecorator {
  return (_target, _name, { value }) => {
    Reflect.defineMetadata(QUERY, query, value as object);
  };
}

/** Describes refusals that do not follow from the path and the body, for the OpenAPI document. */
export function DescribeRefusals(...refusals: readonly Refusal[]): MethodDecorator {
  return (_target, _name, { value }) => {
    Reflect.defineMetadata(REFUSALS, refusals, value as object);
  };
}

/** Describes `?secrets=1` of a handler. */
export function describeSecrets(controller: object, name: string | symbol): void {
  Reflect.defineMetadata(SECRETS, true, controller, name);
}

/**
 * The operations of controllers, from their routes and descriptions.
 *
 * @throws {Error} for a route without a description
 */
export function operationsOf(
  controllers: readonly { readonly prototype: object }[],
): ControlOperation[] {
  return controllers.flatMap((controller) => {
    const root = String(Reflect.getMetadata(PATH_METADATA, controller));
    const { prototype } = controller as { prototype: Record<string, object> };
    return Object.getOwnPropertyNames(prototype).flatMap((name) => {
      const handler = prototype[name] ?? {};
      const method = Reflect.getMetadata(METHOD_METADATA, handler) as RequestMethod | undefined;
      if (method === undefined) return [];
      const description = Reflect.getMetadata(DESCRIPTION, handler) as Description | undefined;
      if (description === undefined) throw new Error(`${name} has no description.`);
      const query = Reflect.getMetadata(QUERY, handler) as QueryParameters | undefined;
      const refusals = Reflect.getMetadata(REFUSALS, handler) as readonly Refusal[] | undefined;
      const route = String(Reflect.getMetadata(PATH_METADATA, handler));
      const path = route.replaceAll(/:(\w+)/g, '{$1}');
      const status = Reflect.getMetadata(HTTP_CODE_METADATA, handler) as number | undefined;
      return {
        method: RequestMethod[method],
        path: path === '/' ? root : `${root}/${path}`,
        query: {
          ...query,
          ...(Reflect.hasMetadata(SECRETS, prototype, name) && { secrets: '1: with secrets' }),
        },
        refusals: refusals ?? [],
        status: status ?? (method === RequestMethod.POST ? 201 : 200),
        ...description,
      };
    });
  });
}
