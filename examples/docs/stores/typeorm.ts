import { Module } from '@nestjs/common';
import { ConfigModule, type ConfigType } from '@nestjs/config';
import { BerbixModule, berbixConfig } from 'nestjs-berbix';
import { PostgresTokenStore, fromTypeOrm } from 'nestjs-berbix/postgres';
import { DataSource } from 'typeorm';

@Module({
  imports: [
    BerbixModule.forRootAsync({
      imports: [ConfigModule.forFeature(berbixConfig)],
      // The one of @nestjs/typeorm.
      inject: [berbixConfig.KEY, DataSource],
      useFactory: (config: ConfigType<typeof berbixConfig>, dataSource: DataSource) => ({
        ...config,
        store: new PostgresTokenStore(fromTypeOrm(dataSource)),
      }),
    }),
  ],
})
export class BerbixOverTypeOrmModule {}
