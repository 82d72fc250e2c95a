/** What `holdfast doctor` says of a host. The daemon does not serve it: the command looks itself, so that it answers without a daemon too. */
import { z } from "zod";
import { type IpAddress, parseIp } from "../../core/lib/ip.ts";

const DoctorFinding = z.object({
  /** A page of its own explains each: docs/doctor.md. */
  id: z.string(),
  severity: z.enum(["error", "warning", "note"]),
  /** Instance, interface, address or peer that it is about; null: the host. */
  server: z.string().nullable(),
  what: z.string(),
  why: z.string(),
  fix: z.string(),
});

export const HostDoctorReply = z.object({
  api: z.literal(1),
  host: z.string(),
  /** The configuration that was looked at. */
  file: z.string(),
  daemon: z.object({ running: z.boolean(), version: z.string().nullable() }),
  /** Null: it could not be listened; `unseen` says why. */
  listened: z
    .object({
      seconds: z.number(),
      routers: z
        .array(
          z.object({
            instance: z.string(),
            interface: z.string(),
            virtualRouterId: z.number(),
            /** Adverts that left this host. */
            sent: z.number(),
            heard: z
              .array(
                z.object({
                  source: z.string(),
                  adverts: z.number(),
                  priority: z.number(),
                  /** Why the daemon refuses them; null: it believes them. */
                  refused: z.string().nullable(),
                }),
              )
              .readonly(),
          }),
        )
        .readonly(),
    })
    .nullable(),
  findings: z.array(DoctorFinding).readonly(),
  /** What could not be looked at: nothing is known of it. */
  unseen: z.array(z.object({ what: z.string(), why: z.string(), fix: z.string() })).readonly(),
});

const Address = z.string().transform((text, context): IpAddress => {
  const address = parseIp(text);
  if (address !== null) return address;
  context.addIssue({ code: "custom", message: "no address" });
  return z.NEVER;
});

/** Asks each peer's daemon to listen, while whoever asks sends test adverts. */
export const AdvertTestRequest = z.object({
  virtualRouterId: z.int().min(1).max(255),
  family: z.union([z.literal(4), z.literal(6)]),
  /** What the test adverts carry. */
  nonce: Address,
});

export const AdvertTestReply = z.object({
  api: z.literal(1),
  peers: z.array(
    z.object({
      peer: z.string(),
      /** Null: it could not be asked; `problem` says why. */
      heard: z
        .object({
          interface: z.string().nullable(),
          arrived: z.boolean(),
          delivered: z.boolean().nullable(),
          problem: z.string().nullable(),
          /** Its instance has auth_type AH, which test adverts have not. */
          ah: z.boolean(),
        })
        .nullable(),
      problem: z.string().nullable(),
      /** Its wall clock against this host's, milliseconds. */
      clockOffset: z.number().nullable(),
    }),
  ),
});
