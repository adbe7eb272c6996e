import { Injectable, Module } from '@nestjs/common';

/** Stands for the secret store of an application. */
@Injectable()
export class Vault {
  read(path: string): string {
    return `secret_test_${path.replaceAll(/\W/g, '')}`;
  }
}

@Module({ providers: [Vault], exports: [Vault] })
export class VaultModule {}
