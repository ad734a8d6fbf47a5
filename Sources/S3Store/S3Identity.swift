// What a store has learned about its service, and the key that signs for it. Shared by all calls of a store.

import Crypto
import CurlHTTP
import Synchronization

/// Region, clock and signing key of one store.
final class S3Identity: Sendable {
  private struct State {
    var region: String
    /// A region that the service named itself.
    var learnedRegion: String?
    /// The service's clock minus this machine's, in seconds; zero until the service objected.
    var clockOffset: Int64 = 0
    var key: SymmetricKey?
    /// Day and region of `key`.
    var keyDay: Int64 = 0
  }

  private let credentials: S3Credentials
  private let clock: @Sendable () -> Int64
  private let state: Mutex<State>

  /// - Parameter clock: seconds since 1970, UTC, by this machine.
  init(credentials: S3Credentials, region: String, clock: @escaping @Sendable () -> Int64) {
    self.credentials = credentials
    self.clock = clock
    state = Mutex(State(region: region))
  }

  /// This machine's time.
  var now: Int64 { clock() }

  /// The region to sign for.
  var region: String { state.withLock { $0.region } }

  /// The region that the service named, if it had to.
  var learnedRegion: String? { state.withLock { $0.learnedRegion } }

  /// The headers that sign a request now.
  func sign(_ request: SignableRequest) -> [HTTPHeader] {
    guard !credentials.isAnonymous else { return [] }
    let machineTime = clock()
    let (signer, date, key) = state.withLock { state in
      let signer = SigV4(credentials: credentials, region: state.region)
      let date = machineTime + state.clockOffset
      let day = date / 86_400
      if let key = state.key, state.keyDay == day { return (signer, date, key) }
      let key = signer.signingKey(at: date)
      state.key = key
      state.keyDay = day
      return (signer, date, key)
    }
    return signer.headers(for: request, at: date, key: key)
  }

  /// Takes over the service's clock.
  func adoptClock(_ serverDate: Int64) {
    let offset = serverDate - clock()
    state.withLock { $0.clockOffset = offset }
  }

  /// Takes over the region that the service named. False when it was signed for already.
  func adoptRegion(_ region: String) -> Bool {
    state.withLock { state in
      guard !region.isEmpty, state.learnedRegion != region else { return false }
      state.region = region
      state.learnedRegion = region
      state.key = nil
      return true
    }
  }
}
