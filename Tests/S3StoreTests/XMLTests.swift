import ObjectStore
import Testing

@testable import S3Store

/// Documents of S3, whole, odd and broken.
@Suite struct XMLTests {
  private func fields(_ text: String) throws -> XMLFields { try XMLFields(Array(text.utf8)) }

  @Test func fieldsOfADocumentAreRead() throws {
    let error = try fields(
      """
      <?xml version="1.0" encoding="UTF-8"?>
      <!DOCTYPE Error>
      <!-- a <comment> -->
      <Error xmlns="http://x/" a='>'><Code>NoSuchKey</Code><Message>a &amp; b &lt;c&gt; &quot;d&quot; &apos;e&apos; &#233;&#x1F600;</Message>
        <Empty/><Blank></Blank><Nested><Code>inner</Code></Nested><Code>second</Code></Error>
      """)
    #expect(error.root == "Error")
    #expect(error["Code"] == "NoSuchKey")
    #expect(error["Message"] == "a & b <c> \"d\" 'e' é😀")
    #expect(error["Empty"] == "")
    #expect(error["Blank"] == "")
    #expect(error["Absent"] == nil)
  }

  @Test func namespacePrefixesCDATAAndLeadingSpaceAreTolerated() throws {
    let result = try fields(
      "\u{FEFF}\n   \n<s3:CopyObjectResult xmlns:s3=\"u\"><s3:ETag><![CDATA[a<&>b]]>&amp;c</s3:ETag></s3:CopyObjectResult>\n"
    )
    #expect(result.root == "CopyObjectResult")
    #expect(result["ETag"] == "a<&>b&c")
  }

  @Test(arguments: [
    "", "   ", "text", "<a>", "<a><b></a></b>", "<a></b>", "<a/><b/>", "<a></a>text", "<r><a>&nope;</a></r>",
    "<r><a>&#xD800;</a></r>",
    "<r><a>&amp</a></r>", "<r><a>& b</a></r>", "<a b=\"c></a>", "<a><![CDATA[x</a>", "<a><!-- x</a>", "<a", "</a>",
    "<>", "<a <b></b></a>",
    "<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>", "{\"json\": true}",
  ])
  func brokenDocumentsAreRefused(text: String) {
    #expect(throws: XMLFault.self) { try fields(text) }
  }

  @Test func tooDeepDocumentsAreRefused() {
    let text = String(repeating: "<a>", count: 1000) + String(repeating: "</a>", count: 1000)
    #expect(throws: XMLFault.self) { try fields(text) }
  }

  static let listing = """
    <?xml version="1.0" encoding="UTF-8"?>
    <ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>b</Name><Prefix>x/</Prefix>
    <KeyCount>3</KeyCount><MaxKeys>1000</MaxKeys><Delimiter>/</Delimiter><IsTruncated>true</IsTruncated>
    <NextContinuationToken>1/&amp;+=</NextContinuationToken><EncodingType>url</EncodingType>
    <Contents><Key>x/a+b%2Bc</Key><LastModified>2026-11-23T12:30:32.000Z</LastModified><ETag>&#34;e1&#34;</ETag>\
    <Size>5</Size><Owner><ID>Key</ID><DisplayName>x</DisplayName></Owner><StorageClass>STANDARD</StorageClass></Contents>
    <Contents><Key>x/%C3%A9</Key><LastModified>2026-11-23T12:30:33Z</LastModified><ETag>&quot;e2-3&quot;</ETag>\
    <Size>9007199254740993</Size></Contents>
    <CommonPrefixes><Prefix>x/d+1/</Prefix></CommonPrefixes><CommonPrefixes><Prefix>x/e/</Prefix></CommonPrefixes>
    </ListBucketResult>
    """

  @Test func listingIsRead() throws {
    let page = try ListAnswer(Array(Self.listing.utf8)).page
    #expect(
      page.objects == [
        ObjectInfo(key: "x/a b+c", size: 5, etag: ETag("\"e1\""), modified: 1_795_437_032),
        ObjectInfo(key: "x/é", size: 9_007_199_254_740_993, etag: ETag("\"e2-3\""), modified: 1_795_437_033),
      ])
    #expect(page.directories == ["x/d 1/", "x/e/"])
    #expect(page.continuation == "1/&+=")
  }

  @Test func everyCutOfAListingIsRefused() throws {
    let bytes = Array(Self.listing.utf8)
    for count in 0..<bytes.count { #expect(throws: XMLFault.self) { try ListAnswer(Array(bytes.prefix(count))) } }
  }

  @Test func keysAreTakenAsTheyAreWhenTheServiceDidNotEncodeThem() throws {
    let text = """
      <ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>a+b%2Bc&#10;</Key><ETag>e</ETag><Size>1</Size>\
      </Contents></ListBucketResult>
      """
    let page = try ListAnswer(Array(text.utf8)).page
    #expect(page.objects.map(\.key) == ["a+b%2Bc\n"])
    #expect(page.objects.map(\.etag) == [ETag("\"e\"")])
    #expect(page.continuation == nil)
  }

  @Test func pageOutOfOrderIsPutInOrder() throws {
    let keys = ["b", "a/x", "a-b", "é", "e\u{301}"]
    let contents = keys.map { "<Contents><Key>\($0)</Key><ETag>e</ETag><Size>1</Size></Contents>" }.joined()
    let prefixes = ["z/", "y/"].map { "<CommonPrefixes><Prefix>\($0)</Prefix></CommonPrefixes>" }.joined()
    let text = "<ListBucketResult><IsTruncated>false</IsTruncated>\(contents)\(prefixes)</ListBucketResult>"
    let page = try ListAnswer(Array(text.utf8)).page
    #expect(page.objects.map(\.key) == ["a-b", "a/x", "b", "e\u{301}", "é"])
    #expect(page.directories == ["y/", "z/"])
  }

  @Test(arguments: [
    "<Error><Code>X</Code></Error>",
    "<ListBucketResult></ListBucketResult>",
    "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>",
    "<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken/></ListBucketResult>",
    "<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>a</Key><ETag>e</ETag></Contents></ListBucketResult>",
    "<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>a</Key><ETag>e</ETag><Size>-1</Size></Contents></ListBucketResult>",
    "<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Size>1</Size><ETag>e</ETag></Contents></ListBucketResult>",
    "<ListBucketResult><EncodingType>url</EncodingType><IsTruncated>false</IsTruncated><Contents><Key>%FF</Key><ETag>e</ETag><Size>1</Size></Contents></ListBucketResult>",
    "<ListBucketResult><EncodingType>url</EncodingType><IsTruncated>false</IsTruncated><Contents><Key>%4</Key><ETag>e</ETag><Size>1</Size></Contents></ListBucketResult>",
  ])
  func listingThatContradictsItselfIsRefused(text: String) {
    #expect(throws: XMLFault.self) { try ListAnswer(Array(text.utf8)) }
  }
}
