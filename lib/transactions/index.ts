export { BerbixTransactionService } from './berbix-transaction.service.js';
export { OverrideTransactionDto, UpdateTransactionDto } from './dto/change-transaction.dto.js';
export {
  CreateApiOnlyTransactionDto,
  CreateHostedTransactionDto,
  CreateTransactionDto,
} from './dto/create-transaction.dto.js';
export { ApiOnlyTransactionDto, HostedTransactionDto } from './dto/created-transaction.dto.js';
export type { MatchDataDto } from './dto/match-data.dto.js';
export {
  TransactionDto,
  type TransactionDuplicateDto,
  type TransactionFieldDto,
  type TransactionImagesDto,
} from './dto/transaction.dto.js';
export { UploadResultDto } from './dto/upload-result.dto.js';
export { creationToWire, hostedCreationToWire } from './to-wire.js';
export type { UploadData, UploadImageDto } from './upload-body.js';
