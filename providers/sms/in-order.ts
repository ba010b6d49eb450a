import { publish } from "../../telemetry/facts.ts";
import { inSpan } from "../../telemetry/spans.ts";
import {
  type Log,
  ProviderError,
  type Sent,
  type Sms,
  type SmsGateway,
  UndeliverableError,
} from "./sms.ts";

export type Provider = { name: string; gateway: SmsGateway };

/**
 * Tries the providers in order until one accepts the message. An error about the number stops this,
 * because no other provider would reach it either. A message that one carrier rejected may go
 * through another provider.
 */
export function inOrder(providers: Provider[], log: Log): SmsGateway {
  return {
    async send(sms: Sms): Promise<Sent> {
      const errors: unknown[] = [];
      for (const { name, gateway } of providers) {
        try {
          const sent = await inSpan(
            () => ({ name: `sms ${name}`, attributes: { "sms.provider": name } }),
            () => gateway.send(sms),
          );
          log.info({ provider: name, outcome: "sent" }, "message handed over");
          publish("sms", { provider: name, outcome: "sent" });
          return sent;
        } catch (error) {
          const failure = outcomeOf(error);
          log.warn({ provider: name, ...failure }, "message not handed over");
          publish("sms", { provider: name, outcome: failure.reason ?? failure.outcome });
          if (isAboutNumber(error)) throw error;
          errors.push(error);
        }
      }
      // If any provider may accept it later, the message is retried.
      throw errors.find((error) => !(error instanceof UndeliverableError)) ?? errors.at(-1);
    },
  };
}

function outcomeOf(error: unknown) {
  if (error instanceof UndeliverableError)
    return { outcome: "undeliverable", reason: error.reason };
  return { outcome: "failed", code: error instanceof ProviderError ? error.code : "internal" };
}

function isAboutNumber(error: unknown): boolean {
  return error instanceof UndeliverableError && error.reason !== "rejected_by_carrier";
}
