import twilio from "twilio";
import type { Config } from "../../config.ts";
import { ProviderError, type SmsGateway, UndeliverableError } from "./sms.ts";
import { TWILIO_REASONS, twilioStatusUrl } from "./twilio-status.ts";

const API = "https://api.twilio.com";
/** Leaves time for another provider within the activity's 15 s. */
const ANSWER_MS = 5_000;

/** Sends through Twilio. Of Twilio's errors only the code is passed on. */
export function twilioGateway(config: Config): SmsGateway {
  const client = twilio(config.TWILIO_ACCOUNT_SID, config.TWILIO_AUTH_TOKEN, {
    httpClient: httpClient(config.TWILIO_BASE_URL ?? API),
  });
  const from = config.TWILIO_FROM as string;
  const sender = /^MG[0-9a-f]{32}$/i.test(from) ? { messagingServiceSid: from } : { from };
  const validityPeriod = config.limits.passcode.lifetimeMs / 1000;
  return {
    async send({ to, body, reference }) {
      const statusCallback = twilioStatusUrl(config, reference);
      try {
        await client.messages.create({ ...sender, to, body, statusCallback, validityPeriod });
      } catch (error) {
        throw withoutWords(error);
      }
      return { provider: "twilio" };
    },
  };
}

/** Twilio's own HTTP client, with another base URL of the API. */
function httpClient(base: string) {
  const http = new twilio.RequestClient({ timeout: ANSWER_MS });
  const request = http.request.bind(http);
  http.request = (options) =>
    request({ ...options, uri: options.uri.replace(API, base.replace(/\/+$/, "")) });
  return http;
}

/** Replaces Twilio's errors, which quote the number and hold the request with its credentials. */
function withoutWords(error: unknown): Error {
  const { code, status } = error as { code?: unknown; status?: unknown };
  const reason = TWILIO_REASONS[String(code)];
  if (reason) return new UndeliverableError(reason);
  return new ProviderError("twilio", String(code ?? status ?? "unknown"));
}
