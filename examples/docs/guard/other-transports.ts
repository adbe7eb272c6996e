import type { ExecutionContext } from '@nestjs/common';
import { RequireFreshTokens } from 'nestjs-berbix';

/** The gateway has set this on the connection when the user signed in. */
interface SignedInSocket {
  data: { user: { id: string } };
}

/** For gateways: uses the connection, since the sender controls the message. */
export const RequireTokensOfSocket = (): MethodDecorator & ClassDecorator =>
  RequireFreshTokens((_message: unknown, context: ExecutionContext) => {
    const { data } = context.switchToWs().getClient<SignedInSocket>();
    return { customerUid: data.user.id };
  });
