import type { HttpService } from '@nestjs/axios';
import { Axios, type AxiosAdapter, type AxiosRequestConfig } from 'axios';

/**
 * The axios instance under our HttpService. What axios does to a request before its adapter (merging
 * defaults, copying headers, transforming) costs as much as the exchange itself and changes nothing
 * in a config that is complete; so as long as nobody has installed an interceptor, the config goes
 * to the adapter as it is.
 */
class LeanAxios extends Axios {
  constructor(private readonly adapter: AxiosAdapter) {
    super({ adapter, headers: {} as never });
    // HttpService takes the method off the instance.
    this.request = this.request.bind(this) as typeof this.request;
  }

  override request(config: AxiosRequestConfig): Promise<never> {
    if (hasHandlers(this.interceptors.request) || hasHandlers(this.interceptors.response)) {
      return super.request<never, never>(config);
    }
    return this.adapter(config as never) as Promise<never>;
  }
}

/** @param adapter takes a config as `super.request` would hand it on */
export function leanAxios(adapter: AxiosAdapter): HttpService['axiosRef'] {
  return new LeanAxios(adapter) as unknown as HttpService['axiosRef'];
}

/** Axios says which interceptors there are in its plain JavaScript only. */
function hasHandlers(manager: object): boolean {
  return (manager as { handlers?: unknown[] }).handlers?.length !== 0;
}
