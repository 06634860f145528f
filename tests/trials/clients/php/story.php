<?php
// The stories, by the client of openapi-generator.

declare(strict_types=1);

use Stuff\Api\DocumentsApi;
use Stuff\ApiException;
use Stuff\Configuration;
use Stuff\Model\Problem;

require 'GuzzleHttp/autoload.php'; // of the system's package, as Composer would
spl_autoload_register(function (string $class): void {
    require __DIR__ . '/stuff/lib/' . str_replace(['Stuff\\', '\\'], ['', '/'], $class) . '.php';
});
set_error_handler(function (int $level, string $message, string $file, int $line): never {
    throw new ErrorException($message, 0, $level, $file, $line);
}, E_ALL & ~E_DEPRECATED);

function check(bool $holds, mixed ...$what): void
{
    if (!$holds) {
        throw new Exception(json_encode($what));
    }
}

/** The problem with which the call is refused. */
function refused(int $status, callable $call): Problem
{
    try {
        $call();
    } catch (ApiException $failure) {
        check($failure->getCode() === $status, $failure->getMessage());
        $problem = $failure->getResponseObject();
        check($problem instanceof Problem, $failure->getMessage());
        return $problem;
    }
    throw new Exception('it was not refused');
}

$configuration = Configuration::getDefaultConfiguration()
    ->setHost(getenv('STUFF_URL'))
    ->setAccessToken(getenv('STUFF_KEY'));
$client = new GuzzleHttp\Client();
$documents = new DocumentsApi($client, $configuration);

$ada = [
    'name' => 'Ada',
    'born' => 1815,
    'height' => 1.5,
    'works' => [['title' => 'Notes', 'pages' => [1, 2]], []],
    'address' => (object) ['city' => 'London', 'rooms' => (object) []],
    'died' => null,
];
[$created, $status, $headers] = $documents->createDocumentWithHttpInfo($ada);
check($status === 201, $status);
[$id, $etag] = [$created['_id'], $headers['etag'][0]];
$got = $documents->getDocument($id);
check(json_encode($got) === json_encode(['_id' => $id, ...$ada]), $got);

[, $status, $headers] = $documents->putDocumentWithHttpInfo($id, ['name' => 'Ada Lovelace'], if_match: $etag);
check($status === 200, $status);
$problem = refused(412, fn () => $documents->putDocument($id, ['name' => '?'], if_match: $etag));
check($problem->getType() === '/problems/precondition-failed', $problem);
check($problem->getEtag() === $headers['etag'][0], $problem);

// This client encodes no map as a patch, only models.
$patched = $documents->patchDocument($id, json_encode(['died' => 1852, 'name' => null]));
check($patched === ['_id' => $id, 'died' => 1852], $patched);

$ids = [$id];
foreach (range(0, 4) as $number) {
    $documents->putDocument($ids[] = "p/$number", ['page' => $number]);
}
[$numbers, $after] = [[], null];
do {
    $page = $documents->getDocuments(limit: 2, after: $after, filter: '{"page": {"$gte": 0}}');
    array_push($numbers, ...array_column($page->getItems(), 'page'));
} while (($after = $page->getNext()) !== null);
check($numbers === [0, 1, 2, 3, 4], $numbers);

foreach ($ids as $each) {
    [, $status] = $documents->deleteDocumentWithHttpInfo($each);
    check($status === 204, $status);
}
refused(404, fn () => $documents->getDocument($id));

require 'books.php';
