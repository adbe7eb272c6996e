'use strict';
// What an application with @nestjs/swagger says about the classes of the package.
const assert = require('node:assert/strict');

exports.checkSchemas = async ({ berbix, common, swagger, testing: { Test } }) => {
  class AnyController {}
  common.Controller()(AnyController);
  const classes = Object.entries(berbix).filter(([name]) => name.endsWith('Dto'));
  assert.ok(classes.length > 12);
  swagger.ApiExtraModels(...classes.map(([, Class]) => Class))(AnyController);
  const module = await Test.createTestingModule({ controllers: [AnyController] }).compile();
  const application = module.createNestApplication({ logger: false });
  const document = swagger.SwaggerModule.createDocument(
    application,
    new swagger.DocumentBuilder().build(),
  );
  await application.close();

  const { schemas } = document.components;
  for (const [name] of classes) {
    for (const [field, schema] of Object.entries(schemas[name].properties)) {
      assert.ok(schema.description, `${name}.${field} has no description`);
    }
  }
  const { status, transaction } = schemas.VerificationResultDto.properties;
  assert.ok(status.enum.includes('in_progress'));
  assert.equal(transaction.allOf[0].$ref, '#/components/schemas/TransactionDto');
  const { fields, duplicates, createdAt } = schemas.TransactionDto.properties;
  assert.deepEqual(fields.additionalProperties.required, ['value', 'sources']);
  assert.deepEqual(Object.keys(duplicates.items.properties), ['customerUid', 'transactionId']);
  assert.equal(createdAt.format, 'date-time');
  const { required, properties } = schemas.CreateHostedTransactionDto;
  assert.deepEqual(required.toSorted(), ['customerUid', 'templateKey']);
  assert.equal(properties.email.format, 'email');
  assert.equal(properties.redirectUrl.format, 'uri');
};
