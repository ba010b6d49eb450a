import { z } from "zod";
import type { CoreDeps } from "../../core/deps.ts";
import { enrollmentOf } from "../../core/devices/devices.ts";
import { countryOf } from "../../core/devices/phone-numbers.ts";
import { registerSmsDevice, resendPin, verifyPin } from "../../core/devices/sms.ts";
import type { Device } from "../../store/postgres/schema.ts";
import { clientInfoOf } from "../http/client.ts";
import { readBody } from "./body.ts";
import { callerOnOwnPath } from "./caller.ts";
import { showHandlers, verifyHandler } from "./device-handlers.ts";
import { isProven, location, MULTI_FACTOR, namedDevice, namedUnverified } from "./devices.ts";
import { removeNamed } from "./removal.ts";
import type { Routes } from "./routes.ts";

const PHONES = `${MULTI_FACTOR}/mobile-phones`;

const phoneSchema = z.object({
  "RAX-AUTH:mobilePhone": z.object({ number: z.string().trim().min(1).max(40) }),
});

/** Routes of phones: a user's own; an administrator may remove another user's. */
export function phoneRoutes(deps: CoreDeps): Routes {
  const proxies = deps.config.TRUSTED_PROXIES;
  const members = { one: "RAX-AUTH:mobilePhone", many: "RAX-AUTH:mobilePhones" };
  const show = showHandlers(deps, "sms", members, describe);
  return {
    [PHONES]: {
      POST: async (c) => {
        const session = await callerOnOwnPath(c, deps);
        const { number } = (await readBody(c, phoneSchema))["RAX-AUTH:mobilePhone"];
        const phone = { countryCode: countryOf(number), phoneNumber: number };
        const { id } = await registerSmsDevice(deps, session, phone, clientInfoOf(c, proxies));
        const made = { id, number };
        return c.json({ "RAX-AUTH:mobilePhone": made }, 201, { location: location(c, deps, id) });
      },
      GET: show.all,
    },
    [`${PHONES}/:deviceId`]: {
      GET: show.one,
      DELETE: async (c) => {
        await removeNamed(
          c,
          deps,
          async (userId) => (await namedDevice(c, deps, { userId }, "sms")).id,
        );
        return c.body(null, 204);
      },
    },
    [`${PHONES}/:deviceId/verificationcode`]: {
      POST: async (c) => {
        const session = await callerOnOwnPath(c, deps);
        const phone = await namedUnverified(c, deps, session, "sms");
        if (!(await wasJustAsked(deps, phone)))
          await resendPin(deps, phone, clientInfoOf(c, proxies));
        return c.body(null, 202);
      },
    },
    [`${PHONES}/:deviceId/verify`]: {
      POST: verifyHandler(deps, "sms", verifyPin),
    },
  };
}

const describe = (phone: Device) => ({
  id: phone.id,
  number: phone.phoneNumber,
  verified: isProven(phone),
});

/**
 * Whether the PIN of the registration is so recent that no other may be sent yet, and it still
 * counts. Clients of this protocol ask for the PIN by a second call; the first PIN is the one they
 * want.
 */
async function wasJustAsked(deps: CoreDeps, phone: Device): Promise<boolean> {
  const age = deps.clock.now() - phone.createdAt.getTime();
  if (age >= deps.config.limits.pin.intervalMs) return false;
  const { state } = await enrollmentOf(deps, phone);
  return state === "sending_pin" || state === "awaiting_pin";
}
