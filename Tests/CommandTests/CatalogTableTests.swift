import BackupEngine
import ObjectStore
import Testing

@testable import milvus_backupfs

@Suite struct CatalogTableTests {
  @Test(arguments: [
    (Int64(0), "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1536, "1.5 KiB"), (12_595, "12.3 KiB"),
    (1_022_976, "999 KiB"), (1_048_576, "1.0 MiB"), (5 << 40, "5.0 TiB"),
  ])
  func sizesHaveAUnit(bytes: Int64, text: String) {
    #expect(CatalogTable.size(bytes) == text)
  }

  @Test func columnsAreAlignedAndLinesEndWithoutBlanks() {
    let text = CatalogTable.lines([["NAME", "ROWS", "X"], ["long_name", "7", ""]], rightAligned: [1])
    #expect(text == "NAME       ROWS  X\nlong_name     7\n")
  }

  @Test func listsAreJSONInSnakeCase() async throws {
    let store = MemoryStore()
    try await store.put("backup/b/binlogs/x", [1, 2, 3], condition: .none)
    let summaries = try await BackupCatalog(store: store, root: "backup").summaries()
    let json = try JSONText.of(summaries)
    #expect(json.contains("\"milvus_version\" : \"\"") && json.contains("\"state\" : \"unfinished\""))
    #expect(json.hasPrefix("[") && json.hasSuffix("]\n"))
    #expect(
      CatalogTable.text(summaries).hasPrefix(
        "NAME  STATE       COLLECTIONS  ROWS  SIZE  MILVUS  WRITTEN\nb     unfinished"))
  }
}
