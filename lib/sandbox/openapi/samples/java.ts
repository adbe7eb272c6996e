import type { ReferenceValues } from '../model.js';
import { code, sdkLanguage } from './language.js';

/** Samples for the Java SDK. [sdk: java] */
export const JAVA = sdkLanguage('Java', 'Java', {
  refreshTokens: (values) =>
    program(
      values,
      code`
        String refreshToken = "${values.refreshToken}";
        Tokens tokens = client.refreshTokens(Tokens.fromRefresh(refreshToken));

        // For the backend: keep the old refresh token unless the answer has a new one.
        String stored = tokens.refreshToken != null ? tokens.refreshToken : refreshToken;
        // For the page or app, which resumes the verification with it.
        System.out.println(tokens.clientToken);`,
    ),

  createTransaction: (values) =>
    program(
      values,
      code`
        // For an SDK in a page or app. Give it only the client token.
        CreateTransactionRequest request = new CreateTransactionRequest();
        request.customerUid = "alice";
        request.templateKey = "${values.templateKeys.sdk}";
        Tokens tokens = client.createTransaction(request).tokens;
        System.out.println(tokens.clientToken);
        // For the backend, which stores it.
        String refreshToken = tokens.refreshToken;

        // For a page hosted by Berbix.
        CreateHostedTransactionRequest hosted = new CreateHostedTransactionRequest();
        hosted.customerUid = "alice";
        hosted.templateKey = "${values.templateKeys.hosted}";
        hosted.hostedOptions.redirectUrl = "https://example.com/verified";
        System.out.println(client.createHostedTransaction(hosted).hostedUrl);

        // For uploads by the backend.
        ${apiOnlyTokens(values)}
        // JSON with the first_step.
        System.out.println(created.responseJsonString);`,
    ),

  fetchTransaction: (values) =>
    program(
      values,
      code`
        ${session(values)}

        Transaction transaction = client.fetchTransaction(tokens);
        // The action is empty while the verification is unfinished.
        System.out.println(transaction.action + " " + transaction.flags);`,
    ),

  overrideTransaction: (values) =>
    program(
      values,
      code`
        ${session(values)}

        OverrideTransactionRequest result = new OverrideTransactionRequest();
        result.responsePayload = OverrideTransactionRequest.ResponsePayload.US_DL;
        result.flags = List.of("id_expired");
        result.overrideFields = Map.of("given_name", "ALICE");
        client.overrideTransaction(tokens, result);`,
      'java.util.List',
      'java.util.Map',
    ),

  updateTransaction: (values) =>
    program(
      values,
      code`
        ${session(values)}

        UpdateTransactionRequest change = new UpdateTransactionRequest();
        change.action = "reject";
        change.note = "The photo is of somebody else.";
        System.out.println(client.updateTransaction(tokens, change).action);`,
    ),

  deleteTransaction: (values) =>
    program(
      values,
      code`
        ${session(values)}

        client.deleteTransaction(tokens);`,
    ),

  uploadImages: (values) =>
    program(
      values,
      code`
        ${apiOnlyTokens(values)}

        UploadImagesRequest.ImageData image = new UploadImagesRequest.ImageData();
        image.imageSubject = UploadImagesRequest.ImageSubjectDocumentFront;
        image.format = UploadImagesRequest.ImageFormatJPEG;
        image.data = Base64.getEncoder().encodeToString(Files.readAllBytes(Path.of("front.jpg")));
        UploadImagesRequest upload = new UploadImagesRequest();
        upload.images.add(image);

        UploadImagesResponse answer = client.uploadImages(created.clientToken, upload);
        // After an issue, the next step is the same one again.
        System.out.println(answer.nextStep);`,
      'java.nio.file.Files',
      'java.nio.file.Path',
      'java.util.Base64',
    ),

  verificationFinished: () => webhook('BERBIX_WEBHOOK_FINISHED_SECRET'),
  verificationStatus: () => webhook('BERBIX_WEBHOOK_STATUS_SECRET'),
});

function program({ url }: ReferenceValues, body: string, ...imports: string[]): string {
  return code`
    ${['com.berbix.*', ...imports].map((name) => `import ${name};`).join('\n')}

    public class Sample {
      public static void main(String[] arguments) throws Exception {
        // Set BERBIX_API_SECRET to the API secret.
        BerbixClient client = Berbix.create(new Berbix.BerbixOptions.Builder()
            .apiSecret(System.getenv("BERBIX_API_SECRET"))
            .apiHost("${url}")
            .build());

        ${body}
      }
    }`;
}

/** The tokens of a transaction whose refresh token is stored. */
function session({ refreshToken }: ReferenceValues): string {
  return code`
    String refreshToken = "${refreshToken}";
    Tokens tokens = client.refreshTokens(Tokens.fromRefresh(refreshToken));`;
}

function apiOnlyTokens({ templateKeys }: ReferenceValues): string {
  return code`
    CreateAPIOnlyTransactionRequest apiOnly = new CreateAPIOnlyTransactionRequest();
    apiOnly.customerUid = "alice";
    apiOnly.templateKey = "${templateKeys.apiOnly}";
    apiOnly.apiOnlyOptions.idCountry = "US";
    apiOnly.apiOnlyOptions.idType = "DL";
    Tokens created = client.createAPIOnlyTransaction(apiOnly).tokens;`;
}

/** Checks the signature over the body as it arrived. @param variable with the secret of the webhook */
function webhook(variable: string): string {
  return code`
    import com.berbix.*;
    import com.sun.net.httpserver.HttpServer;
    import java.net.InetSocketAddress;
    import java.nio.charset.StandardCharsets;

    public class Sample {
      public static void main(String[] arguments) throws Exception {
        BerbixClient client = Berbix.create(new Berbix.BerbixOptions.Builder().build());
        String secret = System.getenv("${variable}");

        HttpServer server = HttpServer.create(new InetSocketAddress(3000), 0);
        server.createContext("/", exchange -> {
          byte[] bytes = exchange.getRequestBody().readAllBytes();
          String body = new String(bytes, StandardCharsets.UTF_8);
          String signature = exchange.getRequestHeaders().getFirst("X-Berbix-Signature");
          boolean isSigned = signature != null && client.validateSignature(secret, body, signature);
          // Exchange the refresh token of the customer_uid in the body, and fetch the result.
          if (isSigned) System.out.println(body);
          exchange.sendResponseHeaders(isSigned ? 200 : 400, -1);
          exchange.close();
        });
        server.start();
      }
    }`;
}
