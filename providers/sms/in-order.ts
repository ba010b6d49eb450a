import { publish } from "../../telemetry/facts.ts";
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
 * Tries the providers one after the other until one takes the message. What is about the number
 * ends that: no other would reach it either. What was rejected on its way, another may carry.
 */
export function inOrder(providers: Provider[], log: Log): SmsGateway {
  return {
    async send(sms: Sms): Promise<Sent> {
      const errors: unknown[] = [];
      for (const { name, gateway } of providers) {
        try {
          const sent = await gateway.send(sms);
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
      // One that may take it later is reason enough to try again.
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
