/** Who on the link says that an address is his, asked without saying who asks. */
import type { IpAddress } from "../core/lib/ip.ts";
import type { Result } from "../core/lib/result.ts";

export interface ProbeOptions {
  /** The interface on whose link it is asked. */
  readonly device: string;
  /** How long answers are waited for. */
  readonly millis: number;
  /** Ends with the first answer. */
  readonly first?: boolean;
}

export interface AddressProbe {
  /**
   * Hardware addresses in the order of their answers ("02:42:ac:11:00:02"); the host itself does not answer. The error says why it could not be
   * asked. Never throws.
   */
  whoAnswers(address: IpAddress, options: ProbeOptions): Promise<Result<readonly string[], string>>;
  /** The interface whose own network this address belongs to, and whether the address itself is on this host; nulls when there is none. */
  place(address: IpAddress): { readonly device: string | null; readonly own: boolean };
}
