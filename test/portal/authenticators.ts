import type { CDPSession, Page } from "playwright-core";

type Kind = {
  transport: "internal" | "usb";
  hasResidentKey?: boolean;
  hasUserVerification?: boolean;
};

/** A passkey of this computer or phone, which a finger or a PIN unlocks. */
export const PLATFORM: Kind = {
  transport: "internal",
  hasResidentKey: true,
  hasUserVerification: true,
};

/** An old security key that is plugged in: it holds no passkeys and knows no PIN. */
export const ROAMING: Kind = { transport: "usb" };

/** Gives the page's browser Chromium's virtual authenticators (CDP). */
export async function authenticatorsOf(page: Page) {
  const cdp = await page.context().newCDPSession(page);
  await cdp.send("WebAuthn.enable");
  return {
    add: async ({ transport, hasResidentKey = false, hasUserVerification = false }: Kind) => {
      const options = {
        ...{ protocol: "ctap2", transport, hasResidentKey, hasUserVerification },
        isUserVerified: hasUserVerification,
        automaticPresenceSimulation: true,
      } as const;
      const { authenticatorId } = await cdp.send("WebAuthn.addVirtualAuthenticator", { options });
      return handleOf(cdp, authenticatorId);
    },
  };
}

const handleOf = (cdp: CDPSession, authenticatorId: string) => ({
  credentials: async () =>
    (await cdp.send("WebAuthn.getCredentials", { authenticatorId })).credentials,
  /** Whether its user touches it. */
  setPresent: (enabled: boolean) =>
    cdp.send("WebAuthn.setAutomaticPresenceSimulation", { authenticatorId, enabled }),
  /** Whether its user's finger or PIN is right. */
  setVerified: (isUserVerified: boolean) =>
    cdp.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified }),
  remove: () => cdp.send("WebAuthn.removeVirtualAuthenticator", { authenticatorId }),
});
