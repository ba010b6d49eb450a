import { z } from "@hono/zod-openapi";

/** The JSON forms of what a browser's `navigator.credentials` answers. */

const base64url = (most: number) =>
  z
    .string()
    .min(1)
    .max(most)
    .regex(/^[A-Za-z0-9_-]+$/, "This is not base64url.");

/** A credential ID has at most 1,023 bytes (Web Authentication Level 3, 7.1). */
const credentialId = base64url(1364);

const shared = {
  id: credentialId,
  rawId: credentialId,
  type: z.literal("public-key"),
  authenticatorAttachment: z.enum(["platform", "cross-platform"]).nullish(),
  clientExtensionResults: z.looseObject({}),
};

const clientDataJSON = base64url(8192);
const authenticatorData = base64url(8192);

/** What `navigator.credentials.create()` answers, by its `toJSON()`. */
export const registrationResponseSchema = z
  .object({
    ...shared,
    response: z.object({
      clientDataJSON,
      attestationObject: base64url(32_768),
      authenticatorData: authenticatorData.optional(),
      transports: z.array(z.string().min(1).max(32)).max(16).optional(),
    }),
  })
  .transform(({ authenticatorAttachment, ...rest }) => ({
    ...rest,
    authenticatorAttachment: authenticatorAttachment ?? undefined,
  }))
  .openapi("RegistrationResponse", {
    description: "RegistrationResponseJSON of Web Authentication Level 3, 5.1.8",
  });

/** What `navigator.credentials.get()` answers, by its `toJSON()`. */
export const assertionResponseSchema = z
  .object({
    ...shared,
    response: z.object({
      clientDataJSON,
      authenticatorData,
      signature: base64url(4096),
      userHandle: base64url(128).or(z.literal("")).nullish(),
    }),
  })
  .transform(({ authenticatorAttachment, response, ...rest }) => ({
    ...rest,
    response: { ...response, userHandle: response.userHandle ?? undefined },
    authenticatorAttachment: authenticatorAttachment ?? undefined,
  }))
  .openapi("AuthenticationResponse", {
    description: "AuthenticationResponseJSON of Web Authentication Level 3, 5.1.8",
  });

/** Options for the browser, which this service makes and the browser reads. */
const optionsSchema = (name: string, section: string) =>
  z
    .looseObject({ challenge: z.string() })
    .openapi(name, { description: `${name}JSON of Web Authentication Level 3, ${section}` });

export const creationOptionsSchema = optionsSchema("PublicKeyCredentialCreationOptions", "5.1.8");
export const requestOptionsSchema = optionsSchema("PublicKeyCredentialRequestOptions", "5.1.9");
