import type { ReferenceValues } from '../model.js';
import { code, sdkLanguage } from './language.js';

/** Samples for the Go SDK. [sdk: go] */
export const GO = sdkLanguage('Go', 'Go', {
  refreshTokens: (values) =>
    program(
      values,
      ['fmt'],
      code`
        ${session(values)}

        // For the backend: keep the old refresh token unless the answer has a new one.
        if tokens.RefreshToken != "" {
            refreshToken = tokens.RefreshToken
        }
        // For the page or app, which resumes the verification with it.
        fmt.Println(tokens.ClientToken)`,
    ),

  createTransaction: (values) =>
    program(
      values,
      ['fmt'],
      code`
        // For an SDK in a page or app. Give it only the client token.
        tokens, err := client.CreateTransaction(&berbix.CreateTransactionOptions{
            CustomerUID: "alice",
            TemplateKey: "${values.templateKeys.sdk}",
        })
        if err != nil {
            log.Fatal(err)
        }
        // The backend stores tokens.RefreshToken.
        fmt.Println(tokens.ClientToken)

        // For a page hosted by Berbix.
        hosted, err := client.CreateHostedTransaction(&berbix.CreateHostedTransactionOptions{
            CreateTransactionOptions: berbix.CreateTransactionOptions{
                CustomerUID: "alice",
                TemplateKey: "${values.templateKeys.hosted}",
            },
            HostedOptions: berbix.HostedOptions{RedirectURL: "https://example.com/verified"},
        })
        if err != nil {
            log.Fatal(err)
        }
        fmt.Println(hosted.HostedURL)`,
    ),

  fetchTransaction: (values) =>
    program(
      values,
      ['fmt'],
      code`
        ${session(values)}

        transaction, err := client.FetchTransaction(tokens)
        if err != nil {
            log.Fatal(err)
        }
        // The action is empty while the verification is unfinished.
        fmt.Println(transaction.Action, transaction.Flags)`,
    ),

  overrideTransaction: (values) =>
    program(
      values,
      [],
      code`
        ${session(values)}

        err = client.OverrideTransaction(tokens, &berbix.OverrideTransactionOptions{
            ResponsePayload: "us-dl",
            Flags:           []string{"id_expired"},
            OverrideFields:  map[string]string{"given_name": "ALICE"},
        })
        if err != nil {
            log.Fatal(err)
        }`,
    ),

  updateTransaction: (values) =>
    program(
      values,
      ['fmt'],
      code`
        ${session(values)}

        transaction, err := client.UpdateTransaction(tokens, &berbix.UpdateTransactionOptions{
            Action: "reject",
            Note:   "The photo is of somebody else.",
        })
        if err != nil {
            log.Fatal(err)
        }
        fmt.Println(transaction.Action)`,
    ),

  deleteTransaction: (values) =>
    program(
      values,
      [],
      code`
        ${session(values)}

        if err := client.DeleteTransaction(tokens); err != nil {
            log.Fatal(err)
        }`,
    ),

  verificationFinished: () => webhook('BERBIX_WEBHOOK_FINISHED_SECRET'),
  verificationStatus: () => webhook('BERBIX_WEBHOOK_STATUS_SECRET'),
});

/** A program that calls the API. */
function program({ url }: ReferenceValues, imports: string[], body: string): string {
  return withTabs(code`
    package main

    import (
        ${[...imports, 'log', 'os'].map((name) => `"${name}"`).join('\n')}

        "github.com/berbix/berbix-go"
    )

    func main() {
        // Set BERBIX_API_SECRET to the API secret.
        client := berbix.NewClient(os.Getenv("BERBIX_API_SECRET"), &berbix.ClientOptions{
            Host: "${url}",
        })

        ${body}
    }`);
}

/** The tokens of a transaction whose refresh token is stored. */
function session({ refreshToken }: ReferenceValues): string {
  return code`
    refreshToken := "${refreshToken}"
    tokens, err := client.RefreshTokens(berbix.TokensFromRefresh(refreshToken))
    if err != nil {
        log.Fatal(err)
    }
    // The SDK has no error for a refusal by the API.
    if tokens.AccessToken == "" {
        log.Fatal("the refresh token was refused")
    }`;
}

/** Checks the signature over the body as it arrived. @param variable with the secret of the webhook */
function webhook(variable: string): string {
  return withTabs(code`
    package main

    import (
        "encoding/json"
        "io"
        "log"
        "net/http"
        "os"

        "github.com/berbix/berbix-go"
    )

    func main() {
        // The API secret is not used here.
        client := berbix.NewClient("", &berbix.ClientOptions{})
        secret := os.Getenv("${variable}")

        http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
            body, err := io.ReadAll(r.Body)
            if err == nil {
                err = client.ValidateSignature(secret, string(body), r.Header.Get("X-Berbix-Signature"))
            }
            event := struct {
                CustomerUID string \`json:"customer_uid"\`
                Action      string \`json:"action"\`
            }{}
            if err != nil || json.Unmarshal(body, &event) != nil {
                w.WriteHeader(http.StatusBadRequest)
                return
            }
            log.Println(event.CustomerUID, event.Action)
        })
        log.Fatal(http.ListenAndServe(":3000", nil))
    }`);
}

/** Indented by tabs, as `gofmt` does. */
function withTabs(text: string): string {
  return text.replaceAll(/^(?: {4})+/gm, (spaces) => '\t'.repeat(spaces.length / 4));
}
