import Testing

/// One suite after the other: what waits for a stall timeout must not be held up by what keeps the store busy. Runs where
/// a store is named (see `Bed`); there, a store that is out of reach is a failure.
@Suite(.serialized, .enabled(if: Bed.isNamed), .timeLimit(.minutes(30))) enum StoreFaults {}
